import { Eye, ScanEye } from "lucide-react";
import { useState } from "react";
import { acknowledgeSecurityAlert } from "@/api/actions";
import type { SecurityAlertRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { paths } from "@/kit/paths";
import { useCan } from "@/kit/permissions";
import { ReasonDialog } from "@/kit/ReasonDialog";
import { ResourceList } from "@/kit/ResourceList";
import { Button, ButtonLink } from "@/ui/Button";
import { securityAlerts } from "./columns";
import { details } from "./detail";
import { StatusCard } from "./StatusCard";

/** As the database takes it. */
const REASON_CHARS_MAX = 500;

export default function SecurityAlertList() {
  const { can } = useCan();
  return (
    <ResourceList
      resource={securityAlerts}
      banner={<StatusCard />}
      rowActions={(row) => (
        <>
          {row.actor_name !== null && can("audit:read") ? (
            <ButtonLink size="sm" to={paths.readsOf(row.actor_name)} icon={<ScanEye aria-hidden className="size-3.5" />} aria-label={`Reads of ${row.actor_name}`}>
              Reads
            </ButtonLink>
          ) : null}
          {row.state === "open" ? <Acknowledge row={row} /> : null}
        </>
      )}
    />
  );
}

function Acknowledge({ row }: { row: SecurityAlertRow }) {
  const { reason } = useCan();
  const [open, setOpen] = useState(false);
  const action = useAction({ act: (text: string) => acknowledgeSecurityAlert(row.id, text), onDone: () => setOpen(false), quietError: true });
  return (
    <>
      <Button size="sm" icon={<Eye aria-hidden className="size-3.5" />} aria-label={`Acknowledge ${row.title}`} reason={reason("security:write")} onClick={() => setOpen(true)}>
        Acknowledge
      </Button>
      {open ? (
        <ReasonDialog
          title="Acknowledge this alert"
          says={row.title}
          confirm="Acknowledge"
          reasonLabel="What it was"
          reasonRequired
          hint="It is kept with the alert and in the audit log."
          busy={action.isBusy}
          error={action.error}
          reasonCharsMax={REASON_CHARS_MAX}
          onConfirm={(text) => action.run(text)}
          onClose={() => setOpen(false)}
        >
          <ul className="grid gap-1 font-mono text-sm [overflow-wrap:anywhere] text-ink-2">
            {details(row.detail).map((line, index) => (
              <li key={index}>{line}</li>
            ))}
          </ul>
        </ReasonDialog>
      ) : null}
    </>
  );
}
