import { CirclePlay } from "lucide-react";
import type { RunRow, RunState } from "@/api/rows";
import { paths } from "@/kit/paths";
import { defineResource, statusFilter } from "@/kit/resource";
import { runStates, words } from "@/kit/status";
import { duration } from "@/kit/time";

export function isOpenRun(state: RunState): boolean {
  return state === "queued" || state === "running" || state === "waiting";
}
function took(row: RunRow): string {
  return row.started_at && row.ended_at ? duration(Date.parse(row.ended_at) - Date.parse(row.started_at)) : "-";
}

export const runs = defineResource("runs", {
  name: "runs",
  title: "Runs",
  one: "Run",
  icon: CirclePlay,
  columns: (c) => [
    c.title("title", { label: "Run", aside: (row) => (row.dry_run ? "dry run" : null) }),
    c.badge("state", runStates),
    c.text("customer_name", { label: "Customer", className: "max-w-48" }),
    c.custom("started_reason", { label: "Started by", sort: false, phone: "hide", className: "text-sm text-ink-2" }, (row) => words(row.started_reason)),
    c.ago("created_at", { label: "Created", className: "text-sm text-ink-2" }),
    c.custom("ended_at", { label: "Took", align: "right", className: "text-sm text-ink-2" }, took),
  ],
  search: ["title", "customer_name"],
  filters: [
    statusFilter("state", "State", runStates),
    {
      id: "kind",
      label: "Kind",
      single: true,
      options: [
        { value: "real", label: "changes things" },
        { value: "dry", label: "dry run" },
      ],
      where: ([value]) => [{ column: "dry_run", op: "is", value: value === "dry" }],
    },
  ],
  defaultSort: "-created_at",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => paths.run(row.customer_id, row.id),
  rowKey: (row) => row.id,
  empty: { title: "No runs yet", next: "A remediation rule starts a run when its condition appears; you can also start one from an incident." },
});
