import { Building2, Package } from "lucide-react";
import { paths } from "@/kit/paths";
import { defineResource } from "@/kit/resource";

const empty = { title: "No differences", next: "What is counted is what is billed, for every customer and product that a count rule compares." };

export const differencesByCustomer = defineResource("difference_by_customer", {
  name: "differences/customers",
  title: "Differences by customer",
  one: "Customer",
  many: "customers",
  icon: Building2,
  columns: (c) => [
    c.title("customer_name", { label: "Customer" }),
    c.count("differences_open", { label: "Open" }),
    c.money("under_per_month", (row) => row.currency, { label: "Too little a month" }),
    c.money("over_per_month", (row) => row.currency, { label: "Too much a month" }),
    c.money("waiting_per_month", (row) => row.currency, { label: "Waits for its bill" }),
    c.ago("oldest_at", { label: "Oldest", className: "text-sm text-ink-2" }),
  ],
  search: ["customer_name"],
  defaultSort: "-under_per_month",
  tieBreak: "customer_id",
  scopeColumn: "customer_id",
  path: (row) => paths.customer(row.customer_id),
  rowKey: (row) => `${row.customer_id} ${row.currency}`,
  empty,
});

export const differencesByProduct = defineResource("difference_by_product", {
  name: "differences/products",
  title: "Differences by product",
  one: "Product",
  many: "products",
  icon: Package,
  columns: (c) => [
    c.title("product_name", { label: "Product" }),
    c.count("differences_open", { label: "Open" }),
    c.count("customers_affected", { label: "Customers" }),
    c.money("under_per_month", (row) => row.currency, { label: "Too little a month" }),
    c.money("over_per_month", (row) => row.currency, { label: "Too much a month" }),
    c.ago("oldest_at", { label: "Oldest", className: "text-sm text-ink-2" }),
  ],
  search: ["product_name"],
  defaultSort: "-under_per_month",
  tieBreak: "product_id",
  scopeColumn: null,
  path: null,
  rowKey: (row) => `${row.product_id} ${row.currency}`,
  empty,
});
