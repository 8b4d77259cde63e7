import { ResourceList } from "@/kit/ResourceList";
import { approvals } from "./columns";
import { Decide } from "./Decide";

export default function ApprovalList() {
  return <ResourceList resource={approvals} rowActions={(row) => (row.state === "waiting" ? <Decide row={row} size="sm" /> : null)} />;
}
