import { Package } from "lucide-react";
import { paths } from "@/kit/paths";
import { defineResource } from "@/kit/resource";

export const software = defineResource("software_list", {
  name: "software",
  title: "Software",
  one: "Program",
  many: "programs",
  icon: Package,
  columns: (c) => [
    c.title("name", { label: "Program", className: "max-w-96" }),
    c.text("version", { label: "Version", className: "text-sm" }),
    c.text("publisher", { label: "Publisher", phone: "hide", className: "max-w-56 text-sm text-ink-2" }),
    c.count("device_count", { label: "Devices" }),
    c.count("customer_count", { label: "Customers", phone: "hide" }),
    c.ago("first_seen_at", { label: "First seen", phone: "hide", className: "text-sm text-ink-2" }),
  ],
  search: ["name", "publisher", "version"],
  filters: [
    {
      id: "spread",
      label: "Spread",
      single: true,
      options: [
        { value: "one", label: "on one device only" },
        { value: "many", label: "on ten or more" },
      ],
      where: ([value]) => [value === "one" ? { column: "device_count", op: "eq", value: 1 } : { column: "device_count", op: "gte", value: 10 }],
    },
  ],
  defaultSort: "name",
  tieBreak: "version",
  scopeColumn: "customer_id",
  unscoped: [{ column: "customer_id", op: "is", value: null }],
  path: (row) => paths.software(row.name, row.version, row.publisher),
  rowKey: (row) => `${row.customer_id ?? ""} ${row.name} ${row.version} ${row.publisher}`,
  empty: { title: "No software yet", next: "It comes from the RMM once a day. Map its organizations to customers under Integrations, then synchronize." },
});
