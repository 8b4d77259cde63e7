import { useState } from "react";
import { Link } from "react-router";
import { BellOff, Construction } from "lucide-react";
import { endMaintenance, unmuteAlert } from "@/api/maintenance";
import { sentence } from "@/api/maintenanceAnswer";
import { isRecord, stringOrNull } from "@/api/errors";
import { CALM_MS, useRows } from "@/api/queries";
import type { AlertMuteRow, DeviceListRow } from "@/api/rows";
import type { Where } from "@/api/where";
import { useAction } from "@/kit/action";
import { Ago } from "@/kit/Ago";
import { paths } from "@/kit/paths";
import { useCan } from "@/kit/permissions";
import { useScope } from "@/kit/scope";
import { maintenanceStates, muteOutcomes, severities } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { fullTime, plural } from "@/kit/time";
import { Button } from "@/ui/Button";
import { Card } from "@/ui/Card";
import { MaintenanceDialog } from "./MaintenanceDialog";

const PERMISSION = "incidents:write";
const OPEN_MS = 3_000;
const SHOWN_ROWS = 5;
const endWords: Record<string, string> = {
  over: "its time was over",
  by_person: "ended early",
  at_vendor: "ended in NinjaOne's console",
  not_verified: "it was never proven",
};

/** Asks for a window, or for its early end. */
export function MaintenanceAction({ row }: { row: DeviceListRow }) {
  const { reason, isProvider } = useCan();
  const [open, setOpen] = useState(false);
  const end = useAction({ act: async () => sentence(await endMaintenance(row.customer_id, [row.id]), "Ending the maintenance of") });
  const forbidden = reason(PERMISSION, row.customer_id);
  const gone = row.missing_since ? "It is gone from NinjaOne." : null;
  const busy = row.maintenance_state === "starting" ? "Its maintenance is not proven yet." : row.maintenance_state === "ending" ? "It is being ended." : null;
  if (!isProvider) return null;
  return row.maintenance_state === null ? (
    <>
      <Button icon={<Construction aria-hidden className="size-3.5" />} reason={forbidden ?? gone} onClick={() => setOpen(true)}>
        Maintenance…
      </Button>
      {open ? <MaintenanceDialog row={row} onClose={() => setOpen(false)} /> : null}
    </>
  ) : (
    <Button
      icon={<Construction aria-hidden className="size-3.5" />}
      title="NinjaOne is asked to end it; alerts that are still true come back."
      busy={end.isBusy}
      reason={forbidden ?? busy}
      onClick={() => end.run()}
    >
      End maintenance
    </Button>
  );
}

/** The windows of a device, and what they kept from paging. */
export function MaintenanceCard({ where, row, raw }: { where: Where[]; row: DeviceListRow; raw: unknown }) {
  const scope = useScope();
  const windows = useRows("device_maintenance_list", {
    where,
    order: [{ column: "requested_at", descending: true }],
    limit: SHOWN_ROWS,
    every: (rows) => (rows.some((one) => one.state === "starting" || one.state === "ending") ? OPEN_MS : CALM_MS),
  });
  const muted = useRows("alert_mute_list", { where, order: [{ column: "muted_at", descending: true }], limit: SHOWN_ROWS });
  const elsewhere = row.maintenance_state === null ? atVendor(raw) : null;
  if (windows.rows.length === 0 && elsewhere === null) return null;
  return (
    <Card title="Maintenance" aside={row.maintenance_until ? `until ${fullTime(row.maintenance_until)}` : ""}>
      {elsewhere ? <p className="border-b border-line px-3.5 py-2.5">{elsewhere}</p> : null}
      <ul>
        {windows.rows.map((one) => (
          <li key={one.id} className="grid gap-0.5 border-b border-line px-3.5 py-2 last:border-b-0">
            <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
              <StatusBadge of={maintenanceStates} value={one.state} />
              <span className="min-w-0 font-medium [overflow-wrap:anywhere]">{one.reason}</span>
              <span className="ml-auto text-sm text-ink-2"><Ago at={one.requested_at} /></span>
            </span>
            <span className="text-sm text-ink-2 [overflow-wrap:anywhere]">
              {one.ended_at ? <>{endWords[one.end_reason ?? ""]}, <Ago at={one.ended_at} />. </> : <>until {fullTime(one.ends_at)}. </>}
              {one.state_text ? `${one.state_text} ` : ""}
              {one.alerts_muted > 0 ? `${plural(one.alerts_muted, "alert")} muted. ` : ""}
              {one.end_run_id ?? one.run_id ? <Link to={scope.to(paths.run(one.customer_id, one.end_run_id ?? one.run_id ?? ""))} className="font-medium hover:underline">Run and evidence</Link> : null}
            </span>
          </li>
        ))}
      </ul>
      {muted.rows.length > 0 ? (
        <ul aria-label="Muted alerts" className="border-t border-line">
          {muted.rows.map((one) => <MutedAlert key={one.id} one={one} />)}
        </ul>
      ) : null}
    </Card>
  );
}

function MutedAlert({ one }: { one: AlertMuteRow }) {
  const { reason, isProvider } = useCan();
  const action = useAction({ act: () => unmuteAlert(one.customer_id, one.alert_id) });
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3.5 py-2 last:border-b-0">
      <StatusBadge of={muteOutcomes} value={one.outcome ?? "muted"} />
      <StatusBadge of={severities} value={one.severity} />
      <span className="min-w-0 [overflow-wrap:anywhere]">{one.title}</span>
      <span className="ml-auto flex items-center gap-2 text-sm text-ink-2">
        <Ago at={one.muted_at} />
        {one.ended_at === null && isProvider ? (
          <Button
            size="sm"
            icon={<BellOff aria-hidden className="size-3.5" />}
            aria-label={`Unmute ${one.title}`}
            title="Answers it now, as if it had just been raised."
            busy={action.isBusy}
            reason={reason(PERMISSION, one.customer_id)}
            onClick={() => action.run()}
          >
            Unmute
          </Button>
        ) : null}
      </span>
    </li>
  );
}

/** A window that was set in NinjaOne's own console mutes nothing here. */
function atVendor(raw: unknown): string | null {
  const window = isRecord(raw) && isRecord(raw.maintenance) ? raw.maintenance : null;
  if (window === null || stringOrNull(window.status) !== "IN_MAINTENANCE") return null;
  const reason = stringOrNull(window.reasonMessage);
  return `NinjaOne's last record shows it in maintenance${reason ? ` (${reason})` : ""}. That was not set here: its alerts page as ever.`;
}
