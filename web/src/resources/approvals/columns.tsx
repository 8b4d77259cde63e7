import { ShieldCheck } from "lucide-react";
import { readPlan } from "@/api/plan";
import type { ApprovalRow } from "@/api/rows";
import { reach } from "@/kit/facts";
import { paths } from "@/kit/paths";
import { usePeople } from "@/kit/people";
import { defineResource, statusFilter } from "@/kit/resource";
import { approvalStates } from "@/kit/status";

function DecidedBy({ row }: { row: ApprovalRow }) {
  const { nameOf } = usePeople();
  if (row.decided_by === null) return <>-</>;
  return <span title={row.reason ?? undefined}>{nameOf(row.decided_by)}</span>;
}

export const approvals = defineResource("approvals", {
  name: "approvals",
  title: "Approvals",
  one: "Approval",
  icon: ShieldCheck,
  columns: (c) => [
    c.title("title", { label: "What is asked" }),
    c.badge("state", approvalStates),
    c.text("customer_name", { label: "Customer", className: "max-w-48" }),
    c.custom("plan", { label: "Plan", sort: false, phone: "hide", className: "text-sm text-ink-2" }, (row) => {
      const plan = readPlan(row.plan);
      if (plan === null) return "-";
      return [plan.title, reach(plan.blast, ""), plan.undo ? `undo: ${plan.undo}` : ""].filter(Boolean).join(" · ");
    }),
    c.ago("requested_at", { label: "Asked", className: "text-sm text-ink-2" }),
    c.custom("decided_by", { label: "Decided by", sort: false, phone: "hide", className: "text-sm text-ink-2" }, (row) => <DecidedBy row={row} />),
    c.ago("expires_at", { label: "Expires", className: "text-sm text-ink-2" }),
  ],
  search: ["title", "customer_name", "policy"],
  filters: [statusFilter("state", "State", approvalStates)],
  defaultSort: "-requested_at",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => paths.run(row.customer_id, row.run_id),
  rowKey: (row) => row.id,
  empty: { title: "Nothing to approve", next: "When a workflow's policy asks for a person, the plan waits here with what it would change." },
});
