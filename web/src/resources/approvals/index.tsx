import type { ApprovalRow } from "@/api/rows";
import { ResourceList } from "@/kit/ResourceList";
import { approvals } from "./columns";
import { Decide } from "./Decide";

export default function ApprovalList() {
  return <ResourceList resource={approvals} rowActions={actionsOf} />;
}

function actionsOf(row: ApprovalRow) {
  return row.state === "waiting" ? <Decide row={row} size="sm" /> : null;
}
