import { describe, expect, it } from "vitest";
import type { DeviceFactRow } from "@/api/rows";
import { backupWords, noteOf, patchWords, readProducts, threatWords } from "./facts";

const row = (more: Partial<DeviceFactRow>): DeviceFactRow => ({
  customer_id: "c", device_id: "d", part: "patches", state: "complete", reason: null, attempted_at: "2026-01-01T00:00:00Z",
  observed_at: "2026-01-01T00:00:00Z", stale_at: "2026-01-01T04:00:00Z", is_complete: true, ...more,
});

describe("how facts were read", () => {
  it("says nothing where all was read", () => expect(noteOf([row({})], "patches").says).toBeNull());
  it("knows what was never read, for this part", () => expect(noteOf([row({})], "software")).toEqual({ observedAt: null, complete: false, staleAt: null, says: "Not read yet." }));
  it("tells a device that came later from an empty list", () => expect(noteOf([row({ observed_at: null })], "patches").says).toMatch(/older than this device/));
  it("names the reason of a reading that was not whole", () =>
    expect(noteOf([row({ state: "suspect", reason: "rows fell", is_complete: false })], "patches")).toMatchObject({ complete: false, says: "The last reading was not whole: rows fell." }));
  it("does not call a missing report a fault", () => expect(noteOf([row({ state: "absent", reason: "404" })], "patches").says).toMatch(/does not have/));
});

describe("words", () => {
  it("counts patches", () => {
    expect(patchWords({ patches_critical: 2, patches_important: 0, patches_other: 1, patches_failed: 3 })).toBe("2 critical, 1 other, 3 failed");
    expect(patchWords({ patches_critical: 0, patches_important: 0, patches_other: 0, patches_failed: 0 })).toBe("none missing");
    expect(patchWords({ patches_critical: null, patches_important: null, patches_other: null, patches_failed: null })).toBeNull();
  });
  it("counts threats", () => {
    expect(threatWords({ threats_active: 0, threats_quarantined: 0 })).toBe("none");
    expect(threatWords({ threats_active: 1, threats_quarantined: 2 })).toBe("1 active, 2 in quarantine");
    expect(threatWords({ threats_active: null, threats_quarantined: 4 })).toBeNull();
  });
  it("reads products with care", () => {
    expect(readProducts([{ name: "Defender", state: "ON", definitions: 7 }, null, "x", {}])).toEqual([
      { name: "Defender", state: "ON", definitions: null, version: null },
      { name: "A product without a name", state: null, definitions: null, version: null },
    ]);
    expect(readProducts(undefined)).toEqual([]);
  });
  it("does not call a backup missing where nobody knows", () => {
    expect(backupWords(null, "Not read yet.")).toBe("Not read yet.");
    expect(backupWords(null, null)).toBe("does not apply");
    expect(backupWords("late", null)).toBe("late");
  });
});
