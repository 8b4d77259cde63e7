import type { MfaOutcome } from "@/api/rows";
import { count } from "@/kit/time";
import { StackedBar } from "@/ui/charts";

/** How many accounts come to which outcome. */
export type Split = Record<MfaOutcome, number>;

export function MfaBar({ protected: safe, exempt, gap, unknown }: Split) {
  return (
    <StackedBar
      label={`${count(safe)} protected, ${count(exempt)} exempt, ${count(gap)} with a gap, ${count(unknown)} unknown`}
      parts={[
        { value: safe, tone: "ok" },
        { value: exempt, tone: "mute" },
        { value: unknown, tone: "warn" },
        { value: gap, tone: "bad" },
      ]}
    />
  );
}
