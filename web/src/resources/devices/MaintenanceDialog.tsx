import { useState } from "react";
import { startMaintenance, type Feature } from "@/api/maintenance";
import { sentence } from "@/api/maintenanceAnswer";
import { useRows } from "@/api/queries";
import type { DeviceListRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { ReasonDialog } from "@/kit/ReasonDialog";
import { CheckField, SelectField } from "@/ui/Field";

const OTHERS_SHOWN = 49;
const REASON_CHARS_MAX = 500;
const lengths: readonly (readonly [number, string])[] = [
  [30, "30 minutes"], [60, "1 hour"], [120, "2 hours"], [240, "4 hours"], [480, "8 hours"], [1_440, "1 day"], [4_320, "3 days"], [10_080, "7 days"],
];
const features: readonly (readonly [Feature, string])[] = [
  ["patching", "Patching"], ["tasks", "Scheduled tasks"], ["antivirus_scans", "Antivirus scans"],
];

/** A bounded window for this device, and for others of its site. */
export function MaintenanceDialog({ row, onClose }: { row: DeviceListRow; onClose: () => void }) {
  const [minutes, setMinutes] = useState(120);
  const [stopped, setStopped] = useState<readonly Feature[]>(["patching", "tasks"]);
  const [more, setMore] = useState<readonly string[]>([]);
  const others = useRows("device_list", {
    where: [
      { column: "customer_id", op: "eq", value: row.customer_id },
      { column: "id", op: "neq", value: row.id },
      { column: "maintenance_state", op: "is", value: null },
      { column: "missing_since", op: "is", value: null },
      ...(row.site_id ? [{ column: "site_id" as const, op: "eq" as const, value: row.site_id }] : []),
    ],
    order: [{ column: "name" }],
    limit: OTHERS_SHOWN,
  });
  const action = useAction({
    quietError: true,
    onDone: onClose,
    act: async (reason: string) =>
      sentence(await startMaintenance(row.customer_id, [row.id, ...more], { minutes, reason, features: stopped }), "Beginning the maintenance of"),
  });
  const toggle = <T,>(all: readonly T[], one: T, on: boolean) => (on ? [...all, one] : all.filter((it) => it !== one));
  return (
    <ReasonDialog
      title={`Put ${row.name} into maintenance?`}
      says="NinjaOne is asked, and its own reading has to show it. Until the end, alerts are recorded, page nobody and start nothing; those that are still true then come back."
      confirm={more.length === 0 ? "Begin maintenance" : `Begin for ${more.length + 1} devices`}
      reasonLabel="Why?"
      reasonRequired
      reasonCharsMax={REASON_CHARS_MAX}
      hint="It is sent to NinjaOne and kept with the run; the customer's people can read it."
      busy={action.isBusy}
      error={action.error}
      onConfirm={(reason) => action.run(reason)}
      onClose={onClose}
    >
      <SelectField label="For how long" value={String(minutes)} onChange={(event) => setMinutes(Number(event.target.value))}>
        {lengths.map(([value, label]) => <option key={value} value={value}>{label}</option>)}
      </SelectField>
      <fieldset className="grid gap-2">
        <legend className="mb-1 font-medium">NinjaOne leaves alone</legend>
        {features.map(([value, label]) => (
          <CheckField
            key={value}
            label={label}
            checked={stopped.includes(value)}
            disabled={stopped.length === 1 && stopped[0] === value}
            onChange={(event) => setStopped(toggle(stopped, value, event.target.checked))}
          />
        ))}
      </fieldset>
      {others.rows.length > 0 ? (
        <details>
          <summary className="cursor-pointer font-medium">{row.site_id ? `More devices of ${row.site_name ?? "this site"}` : "More devices of this customer"}</summary>
          <div className="mt-1 grid max-h-44 gap-2 overflow-y-auto">
            {others.rows.map((other) => (
              <CheckField key={other.id} label={other.name} checked={more.includes(other.id)} onChange={(event) => setMore(toggle(more, other.id, event.target.checked))} />
            ))}
          </div>
        </details>
      ) : null}
    </ReasonDialog>
  );
}
