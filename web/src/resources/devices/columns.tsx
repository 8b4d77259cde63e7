import { Construction, MonitorSmartphone, Power, RotateCcw, Unplug } from "lucide-react";
import type { DeviceListRow } from "@/api/rows";
import { paths } from "@/kit/paths";
import { defineResource } from "@/kit/resource";
import { deviceClasses, severities, statusOf } from "@/kit/status";
import { Badge } from "@/ui/Badge";

export const DISK_WARN_PERCENT = 85;
export const DISK_BAD_PERCENT = 95;

/** The one thing to know first: people work on it, what is wrong, else offline, else a reboot, else well. */
export function DeviceCondition({ row }: { row: DeviceListRow }) {
  if (row.missing_since) return <Badge tone="mute" icon={Unplug} title="The last complete read did not contain it.">Gone from source</Badge>;
  if (row.maintenance_state === "active" || row.maintenance_state === "ending") {
    const says = row.condition_message ? `Muted: ${row.condition_message}` : "Its alerts page nobody.";
    return <Badge tone="info" icon={Construction} title={says}>In maintenance</Badge>;
  }
  if (row.condition_severity && row.condition_message) {
    const status = statusOf(severities, row.condition_severity);
    const more = row.open_conditions > 1 ? ` +${row.open_conditions - 1}` : "";
    return (
      <Badge tone={status.tone} icon={status.icon} title={row.condition_message}>
        {row.condition_message}
        {more}
      </Badge>
    );
  }
  if (row.is_offline) return <Badge tone="warn" icon={Power}>Offline</Badge>;
  if (row.needs_reboot) return <Badge tone="info" icon={RotateCcw}>Reboot pending</Badge>;
  return <span className="text-ink-3">No condition</span>;
}

export const devices = defineResource("device_list", {
  name: "devices",
  title: "Devices",
  one: "Device",
  icon: MonitorSmartphone,
  columns: (c) => [
    c.title("name", { label: "Device", aside: (row) => row.os_name, className: "max-w-64 2xl:max-w-80" }),
    c.text("customer_name", { label: "Customer", className: "max-w-48" }),
    c.custom("condition_message", { label: "Condition", sort: false, phone: "badge", className: "max-w-52 2xl:max-w-72" }, (row) => <DeviceCondition row={row} />),
    c.percent("disk_used_percent", { label: "Disk", warn: DISK_WARN_PERCENT, bad: DISK_BAD_PERCENT }),
    c.custom("class", { label: "Class", phone: "hide", className: "text-sm text-ink-2" }, (row) => deviceClasses[row.class]),
    c.text("last_user", { label: "Last user", phone: "hide", className: "text-sm text-ink-2" }),
    c.ago("last_contact_at", { label: "Seen", className: "text-sm text-ink-2" }),
    c.freshness((row) => ({ observedAt: row.observed_at, complete: row.is_complete, staleAt: row.stale_at }), "observed_at"),
  ],
  search: ["name", "serial_number", "last_user", "customer_name"],
  finder: "search_devices",
  filters: [
    {
      id: "status",
      label: "Status",
      single: true,
      options: [
        { value: "attention", label: "needs attention" },
        { value: "offline", label: "offline" },
        { value: "reboot", label: "reboot pending" },
        { value: "maintenance", label: "in maintenance" },
        { value: "gone", label: "gone from source" },
      ],
      where: ([value]) =>
        value === "offline"
          ? [{ column: "is_offline", op: "is", value: true }]
          : value === "reboot"
            ? [{ column: "needs_reboot", op: "is", value: true }]
            : value === "maintenance"
              ? [{ column: "maintenance_state", op: "in", values: ["active", "ending"] }]
              : value === "gone"
                ? [{ column: "missing_since", op: "not_null" }]
                : [{ column: "needs_attention", op: "is", value: true }],
    },
    {
      id: "class",
      label: "Class",
      options: Object.entries(deviceClasses).map(([value, label]) => ({ value, label })),
      where: (values) => [{ column: "class", op: "in", values }],
    },
    {
      id: "disk",
      label: "Disk",
      single: true,
      options: [
        { value: String(DISK_WARN_PERCENT), label: `over ${DISK_WARN_PERCENT} %` },
        { value: String(DISK_BAD_PERCENT), label: `over ${DISK_BAD_PERCENT} %` },
      ],
      where: ([value]) => [{ column: "disk_used_percent", op: "gte", value: Number(value) }],
    },
    {
      id: "guard",
      label: "Antivirus",
      options: [
        { value: "none", label: "none" },
        { value: "off", label: "switched off" },
        { value: "outdated", label: "outdated" },
        { value: "unknown", label: "unknown" },
      ],
      where: (values) => [{ column: "antivirus", op: "in", values }],
    },
    {
      id: "patches",
      label: "Patches",
      single: true,
      options: [
        { value: "critical", label: "critical missing" },
        { value: "failed", label: "failed" },
      ],
      where: ([value]) => [{ column: value === "failed" ? "patches_failed" : "patches_critical", op: "gte", value: 1 }],
    },
    {
      id: "backup",
      label: "Backup",
      single: true,
      options: [
        { value: "late", label: "late" },
        { value: "servers", label: "servers without" },
        { value: "none", label: "none" },
      ],
      where: ([value]) =>
        value === "late"
          ? [{ column: "backup_state", op: "eq", value: "late" }]
          : [{ column: "backup_state", op: "eq", value: "none" }, ...(value === "servers" ? [{ column: "class", op: "eq" as const, value: "server" }] : [])],
    },
    {
      id: "fact",
      label: "Freshness",
      single: true,
      options: [
        { value: "partial", label: "partial read" },
        { value: "complete", label: "complete read" },
      ],
      where: ([value]) => [{ column: "is_complete", op: "is", value: value === "complete" }],
    },
  ],
  defaultSort: "name",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => paths.device(row.customer_id, row.id),
  rowKey: (row) => row.id,
  empty: { title: "No devices yet", next: "They come from the RMM: map its organizations to customers under Integrations, then synchronize." },
});
