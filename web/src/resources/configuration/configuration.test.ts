import { describe, expect, it, vi } from "vitest";
import { attributeName, valueText } from "@/kit/changes";
import { endPath, historyKind, recordPath, ruleWords } from "./words";

// The clients of the API take their address from the page.
vi.stubGlobal("location", { origin: "http://obera.example" });
const { readAsOf, readImpact } = await import("@/api/configuration");
const { outcomeText } = await import("@/kit/History");
const { readGroups } = await import("./groups");
const { kindsText } = await import("./ImpactCard");
const { pairsOf } = await import("./ItemEditor");
const { middleOf } = await import("./Neighborhood");

const SITE = "00000000-0000-7000-8000-000000000001";

describe("impact", () => {
  it("leaves out rows that cannot be read, and orders kinds by how many there are", () => {
    const impact = readImpact({ reached: 3, levels: 2, is_whole: false, kinds: { site: 1, person: 2 }, rows: [{ level: 1, kind: "site", id: SITE, rule: "x" }, { kind: "site" }, 7] });
    expect(impact.rows).toHaveLength(1);
    expect(impact.isWhole).toBe(false);
    expect(kindsText(impact.kinds)).toBe("2 people, 1 site");
  });
  it("never takes an answer that says nothing for a whole one", () => {
    expect(readImpact(null)).toEqual({ reached: 0, levels: 0, isWhole: false, kinds: [], rows: [] });
  });
  it("does not count a machine twice by its records", () => {
    expect(kindsText([{ kind: "endpoint", items: 2 }, { kind: "intune_device", items: 2 }, { kind: "rmm_device", items: 2 }])).toBe("2 endpoints");
  });
});

describe("history", () => {
  it("says why it cannot say, and says nothing when it can", () => {
    expect(outcomeText(readAsOf({ outcome: "known" }))).toBeNull();
    expect(outcomeText(readAsOf({ outcome: "gone" }))).toMatch(/removed/);
    expect(outcomeText(readAsOf({ outcome: "before_history", reaches_back_to: "2026-01-01T00:00:00Z" }))).toMatch(/Nobody knows/);
  });
  it("takes an answer that it does not know for no knowledge", () => {
    expect(readAsOf({ outcome: "made up" }).outcome).toBe("before_history");
  });
  it("names ids, and says when one is gone", () => {
    expect(valueText(SITE, { [SITE]: "Main office" })).toBe("Main office");
    expect(valueText(SITE, {})).toMatch(/gone or hidden/);
    expect(valueText([SITE, "x"], { [SITE]: "A" })).toBe("A, x");
    expect(valueText(null, {})).toBe("nothing");
    expect(valueText(false, {})).toBe("no");
    expect(attributeName("site_id")).toBe("Site");
    expect(attributeName("sku_ids")).toBe("Licenses");
  });
});

describe("items", () => {
  it("lead to the page of what they are", () => {
    expect(recordPath("person", "derived", "c", "p")).toBe("/people/c/p");
    expect(recordPath("application", "entered", "c", "a")).toBeNull();
    expect(endPath("rmm_device", "c", "d")).toBe("/devices/c/d");
    expect(endPath("intune_device", "c", "d")).toBeNull();
    expect(endPath("domain", "c", "d")).toBe("/configuration/c/d");
  });
  it("have the history of their kind, and none where none is kept", () => {
    expect(historyKind("application", "entered")).toBe("item");
    expect(historyKind("application", "derived")).toBeNull();
    expect(historyKind("endpoint", "derived")).toBe("endpoint");
    expect(historyKind("site", "entered")).toBe("site");
  });
  it("say each rule from both ends, and an unknown one as it is", () => {
    expect(ruleWords("runs_on", "out")).toBe("Runs on");
    expect(ruleWords("runs_on", "in")).toBe("Runs");
    expect(ruleWords("made_up", "in")).toBe("Made up");
  });
  it("read attributes as texts", () => {
    expect(pairsOf({ Provider: "Contoso Telecom" })).toEqual([{ name: "Provider", value: "Contoso Telecom" }]);
    expect(pairsOf(null)).toEqual([]);
  });
  it("count relationships by rule, whatever else comes", () => {
    expect(readGroups([{ direction: "in", rule: "a", other_kind: "site", items: 3 }, { rule: "b" }])).toEqual([{ direction: "in", rule: "a", otherKind: "site", items: 3 }]);
  });
  it("stand in the middle of the picture when they are fewer than the other side", () => {
    expect(middleOf(0, 1, 3)).toBe(middleOf(1, 3, 3));
  });
});
