import { MonitorSmartphone } from "lucide-react";
import { useMemo } from "react";
import { useParams } from "react-router";
import { paths, programKey, type ProgramKey } from "@/kit/paths";
import { defineResource } from "@/kit/resource";
import { ResourceList } from "@/kit/ResourceList";

const devicesWith = ([name, version, publisher]: ProgramKey) =>
  defineResource("program_device_list", {
    name: "software/where",
    title: [name, version].filter(Boolean).join(" ") || "Unknown program",
    one: "Device",
    many: "devices",
    icon: MonitorSmartphone,
    columns: (c) => [
      c.title("device_name", { label: "Device" }),
      c.text("customer_name", { label: "Customer", className: "max-w-56" }),
      c.text("version", { label: "Version", className: "text-sm" }),
      c.text("installed_on", { label: "Installed", className: "text-sm text-ink-2" }),
      c.ago("first_seen_at", { label: "First seen", phone: "hide", className: "text-sm text-ink-2" }),
      c.freshness((row) => ({ observedAt: row.observed_at, complete: row.is_complete, staleAt: row.stale_at }), "observed_at"),
    ],
    search: ["device_name", "customer_name"],
    where: [
      { column: "name", op: "eq", value: name },
      { column: "version", op: "eq", value: version },
      { column: "publisher", op: "eq", value: publisher },
    ],
    defaultSort: "device_name",
    tieBreak: "device_id",
    scopeColumn: "customer_id",
    path: (row) => paths.device(row.customer_id, row.device_id),
    rowKey: (row) => row.device_id,
    empty: { title: "On no device", next: "No device has this version any more." },
  });

/** Where one version of a program is installed. */
export default function SoftwareWhere() {
  const { program } = useParams();
  const resource = useMemo(() => devicesWith(programKey(program)), [program]);
  return <ResourceList resource={resource} />;
}
