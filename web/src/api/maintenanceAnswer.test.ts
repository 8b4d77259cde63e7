import { describe, expect, it } from "vitest";
import { answered, sentence } from "./maintenanceAnswer";

describe("what came of a maintenance order", () => {
  const all = answered({ action: "start", devices: [{ device_id: "d1", run_id: "r1", refused: null }, { device_id: "d2", run_id: null, refused: "FS-01 is gone from NinjaOne." }] });

  it("names each device's run or refusal", () => {
    expect(all).toEqual([
      { deviceId: "d1", runId: "r1", refused: null },
      { deviceId: "d2", runId: null, refused: "FS-01 is gone from NinjaOne." },
    ]);
  });

  it("says how many were begun and why the others were not", () => {
    expect(sentence(all, "Beginning the maintenance of")).toBe(
      "Beginning the maintenance of 1 device. It counts when NinjaOne's own reading shows it. FS-01 is gone from NinjaOne.",
    );
  });

  it("takes an answer of another shape for nothing", () => {
    expect(answered(null)).toEqual([]);
    expect(answered({ devices: "none" })).toEqual([]);
  });
});
