import { HardDrive, Package, ShieldAlert, TextCursorInput } from "lucide-react";
import { useState } from "react";
import { useRows } from "@/api/queries";
import type { Order } from "@/api/rest";
import type { Table } from "@/api/rows";
import type { Where } from "@/api/where";
import { Freshness } from "@/kit/Freshness";
import { paths } from "@/kit/paths";
import { RelatedTable } from "@/kit/RelatedTable";
import { defineResource, type Resource } from "@/kit/resource";
import { patchStandings, words } from "@/kit/status";
import { bytes, count } from "@/kit/time";
import { Meter } from "@/ui/charts";
import { Button } from "@/ui/Button";
import { DISK_BAD_PERCENT, DISK_WARN_PERCENT } from "../columns";
import { fieldWords, type FactNote } from "./facts";

const SHOWN_FIRST = 10;
const SHOWN_MAX = 500;

const patches = defineResource("device_patches", {
  name: "patches",
  title: "Patches",
  one: "Patch",
  many: "patches",
  icon: ShieldAlert,
  columns: (c) => [
    c.title("name", { label: "Patch", aside: (row) => row.kb_number, className: "max-w-96" }),
    c.custom("severity", { label: "Severity" }, (row) => <span className={row.severity === "critical" ? "font-medium text-bad" : undefined}>{words(row.severity)}</span>),
    c.badge("standing", patchStandings, { label: "State" }),
    c.custom("status", { label: "Word of the vendor", phone: "hide", className: "text-sm text-ink-2" }, (row) => words(row.status)),
    c.ago("first_seen_at", { label: "Missing since" }),
  ],
  defaultSort: "name",
  tieBreak: "external_id",
  scopeColumn: "customer_id",
  path: null,
  rowKey: (row) => row.external_id,
  empty: { title: "No patch is missing", next: "" },
});

const programs = defineResource("device_programs", {
  name: "programs",
  title: "Software",
  one: "Program",
  icon: Package,
  columns: (c) => [
    c.title("name", { label: "Program", className: "max-w-80" }),
    c.text("version", { label: "Version", className: "text-sm" }),
    c.text("publisher", { label: "Publisher", phone: "hide", className: "max-w-56 text-sm text-ink-2" }),
    c.text("installed_on", { label: "Installed", phone: "hide", className: "text-sm text-ink-2" }),
  ],
  defaultSort: "name",
  tieBreak: "version",
  scopeColumn: "customer_id",
  path: (row) => paths.software(row.name, row.version, row.publisher),
  rowKey: (row) => `${row.name} ${row.version} ${row.publisher}`,
  empty: { title: "No software", next: "" },
});

const volumes = defineResource("device_volumes", {
  name: "volumes",
  title: "Volumes",
  one: "Volume",
  icon: HardDrive,
  columns: (c) => [
    c.title("name", { label: "Volume", aside: (row) => row.label }),
    c.custom("free_bytes", { label: "Used" }, (row) => <Used capacity={row.capacity_bytes} free={row.free_bytes} />),
    c.custom("capacity_bytes", { label: "Size", align: "right" }, (row) => (row.capacity_bytes === null ? "-" : bytes(row.capacity_bytes))),
    c.text("file_system", { label: "File system", phone: "hide", className: "text-sm text-ink-2" }),
    c.custom("protection", { label: "BitLocker" }, (row) => (row.protection === null ? <span className="text-ink-3">not told</span> : words(row.protection))),
  ],
  defaultSort: "name",
  tieBreak: "drive_letter",
  scopeColumn: "customer_id",
  path: null,
  rowKey: (row) => `${row.name} ${row.drive_letter}`,
  empty: { title: "No volumes", next: "" },
});

const customFields = defineResource("device_custom_fields", {
  name: "custom-fields",
  title: "Custom fields",
  one: "Field",
  icon: TextCursorInput,
  columns: (c) => [
    c.custom("name", { label: "Field", phone: "title" }, (row) => <b className="font-medium">{row.label ?? row.name}</b>),
    c.custom("value", { label: "Value", sort: false, phone: "meta", className: "max-w-96 [overflow-wrap:anywhere]" }, (row) => fieldWords(row.kind, row.value)),
    c.ago("changed_at", { label: "Changed" }),
  ],
  defaultSort: "name",
  tieBreak: "name",
  scopeColumn: "customer_id",
  path: null,
  rowKey: (row) => row.name,
  empty: { title: "No custom fields", next: "" },
});

function Used({ capacity, free }: { capacity: number | null; free: number | null }) {
  if (capacity === null || free === null || capacity <= 0) return <span className="text-ink-3">-</span>;
  const used = ((capacity - free) / capacity) * 100;
  return (
    <span className="inline-flex items-center gap-2">
      <Meter percent={used} tone={used >= DISK_BAD_PERCENT ? "bad" : used >= DISK_WARN_PERCENT ? "warn" : "accent"} className="max-md:w-12" />
      <span className="text-sm text-ink-2 tabular-nums">{used.toFixed(0)}%</span>
    </span>
  );
}

interface FactCardProps {
  where: Where[];
  note: FactNote;
}

/** The first rows, and all of them on demand; with the age of their reading. */
function FactTable<T extends Table>({ resource, where, note, order, none }: FactCardProps & { resource: Resource<T>; order: Order[]; none: string }) {
  const [all, setAll] = useState(false);
  const result = useRows(resource.table, { where, order, limit: all ? SHOWN_MAX : SHOWN_FIRST, count: true, keep: true });
  const columns = resource.columns.map((column) => column.id);
  const hidden = result.total - result.rows.length;
  return (
    <RelatedTable
      resource={resource}
      title={resource.title}
      result={result}
      columns={columns}
      none={note.says ?? none}
      aside={
        <>
          {!all && hidden > 0 ? (
            <Button size="sm" variant="ghost" onClick={() => setAll(true)}>
              Show all {count(result.total)}
            </Button>
          ) : null}
          <Freshness {...note} />
        </>
      }
    />
  );
}

export function PatchesCard(props: FactCardProps) {
  // By the alphabet, critical and important come before every other word that the vendor has.
  return <FactTable {...props} resource={patches} order={[{ column: "severity" }, { column: "standing" }, { column: "name" }]} none="No patch is missing." />;
}

export function SoftwareCard(props: FactCardProps) {
  return <FactTable {...props} resource={programs} order={[{ column: "name" }, { column: "version" }]} none="The RMM reports no software of this device." />;
}

export function VolumesCard(props: FactCardProps) {
  return <FactTable {...props} resource={volumes} order={[{ column: "name" }, { column: "drive_letter" }]} none="The RMM reports no volumes of this device." />;
}

export function CustomFieldsCard(props: FactCardProps) {
  return <FactTable {...props} resource={customFields} order={[{ column: "name" }]} none="Nothing is written into a custom field of this device." />;
}
