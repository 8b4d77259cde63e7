import { Split } from "lucide-react";
import { readDoubt, sourceNames } from "@/api/identity";
import { paths } from "@/kit/paths";
import { defineResource, statusFilter } from "@/kit/resource";
import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { conflictKinds } from "@/kit/status";
import { ButtonLink } from "@/ui/Button";

/** Everything about machines that waits for a person, the oldest first. */
const conflicts = defineResource("endpoint_conflict_list", {
  name: "endpoints/to-decide",
  title: "To decide",
  one: "Question",
  many: "questions",
  icon: Split,
  columns: (c) => [
    c.custom("records", { label: "Records", sort: false, phone: "title", className: "max-w-96 2xl:max-w-xl" }, (row) => (
      <span className="font-medium">
        {readDoubt(row.records)
          .map((record) => `${record.name ?? "without a name"} (${sourceNames[record.source] ?? record.source})`)
          .join(", ")}
      </span>
    )),
    c.badge("kind", conflictKinds, { label: "Why" }),
    c.text("customer_name", { label: "Customer", className: "max-w-52" }),
    c.ago("since", { label: "Since", className: "text-sm text-ink-2" }),
  ],
  search: ["customer_name"],
  filters: [statusFilter("kind", "Why", conflictKinds)],
  defaultSort: "since",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => paths.endpoint(row.customer_id, row.endpoint_ids[0] ?? row.id),
  rowKey: (row) => row.id,
  empty: { title: "Nothing to decide", next: "Every record is of one machine by a rule or by a decision. What comes up after the next synchronization is shown here." },
});

export default function EndpointConflicts() {
  const scope = useScope();
  return <ResourceList resource={conflicts} actions={<ButtonLink to={scope.to("/endpoints")}>All endpoints</ButtonLink>} />;
}
