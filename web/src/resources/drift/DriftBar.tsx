import { count } from "@/kit/time";
import { StackedBar } from "@/ui/charts";

/** In order, accepted, unknown, drifting: of all that is demanded. */
export function DriftBar({ row }: { row: { in_order: number | null; accepted: number | null; unknown: number | null; drifted: number | null } }) {
  const parts = [row.in_order ?? 0, row.accepted ?? 0, row.unknown ?? 0, row.drifted ?? 0] as const;
  return (
    <StackedBar
      label={`${count(parts[0])} in order, ${count(parts[1])} accepted, ${count(parts[2])} unknown, ${count(parts[3])} drifting`}
      parts={[
        { value: parts[0], tone: "ok" },
        { value: parts[1], tone: "mute" },
        { value: parts[2], tone: "warn" },
        { value: parts[3], tone: "bad" },
      ]}
    />
  );
}
