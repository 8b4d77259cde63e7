import { Eye } from "lucide-react";
import { acknowledgeAlert } from "@/api/actions";
import type { AlertListRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { useCan } from "@/kit/permissions";
import { ResourceList } from "@/kit/ResourceList";
import { Button } from "@/ui/Button";
import { alerts } from "./columns";

export default function AlertList() {
  return <ResourceList resource={alerts} rowActions={actionsOf} />;
}

function actionsOf(row: AlertListRow) {
  return row.state === "open" ? <Acknowledge row={row} /> : null;
}

function Acknowledge({ row }: { row: AlertListRow }) {
  const { reason } = useCan();
  const action = useAction({ act: () => acknowledgeAlert(row.customer_id, row.id) });
  return (
    <Button
      size="sm"
      icon={<Eye aria-hidden className="size-3.5" />}
      aria-label={`Acknowledge ${row.title}`}
      title="Marks it as seen by you; it stays until its source reports that the condition is gone."
      busy={action.isBusy}
      reason={reason("alerts:write", row.customer_id)}
      onClick={() => action.run()}
    >
      Acknowledge
    </Button>
  );
}
