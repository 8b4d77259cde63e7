import { Ban, UserRound, UserRoundX, UsersRound } from "lucide-react";
import type { PersonListRow } from "@/api/rows";
import { Ago } from "@/kit/Ago";
import { paths } from "@/kit/paths";
import { defineResource, statusFilter, type Columns, type ListFilter } from "@/kit/resource";
import { mfaOutcomes } from "@/kit/status";
import { Badge } from "@/ui/Badge";

const LICENSES_SHOWN = 2;

/** The one thing to know first about an account. */
export function Standing({ row }: { row: Pick<PersonListRow, "missing_since" | "account_enabled" | "user_type" | "is_admin"> }) {
  if (row.missing_since) return <Badge tone="mute" icon={UserRoundX} title="Microsoft 365 says that the account is deleted.">Deleted</Badge>;
  if (!row.account_enabled) return <Badge tone="mute" icon={Ban}>Sign-in blocked</Badge>;
  if (row.is_admin) return <Badge tone="wait">Administrator</Badge>;
  if (row.user_type === "guest") return <Badge tone="info">Guest</Badge>;
  return <span className="text-ink-3">Member</span>;
}

function licenses(row: PersonListRow): string {
  const shown = row.licenses.slice(0, LICENSES_SHOWN).join(", ");
  return row.licenses_count > LICENSES_SHOWN ? `${shown} +${row.licenses_count - LICENSES_SHOWN}` : shown;
}

export const personColumns = (c: Columns<"person_list">) => [
  c.title("display_name", { label: "Person", aside: (row) => row.user_principal_name, className: "max-w-64 2xl:max-w-96" }),
  c.custom("account_enabled", { label: "Account", phone: "badge" }, (row) => <Standing row={row} />),
  c.text("customer_name", { label: "Customer", className: "max-w-40 2xl:max-w-56" }),
  c.custom("licenses", { label: "Licenses", sort: false, className: "max-w-52 2xl:max-w-80 text-sm" }, (row) =>
    row.licenses_count === 0 ? <span className="text-ink-3">-</span> : <span title={row.licenses.join(", ")}>{licenses(row)}</span>,
  ),
  c.badge("mfa_outcome", mfaOutcomes, { label: "MFA" }),
  c.ago("last_sign_in_at", { label: "Last sign-in", className: "text-sm text-ink-2" }),
  c.freshness((row) => ({ observedAt: row.observed_at, complete: row.is_complete, staleAt: row.stale_at }), "observed_at"),
];

export const mfaFilter: ListFilter = statusFilter("mfa", "MFA", mfaOutcomes, "mfa_outcome");

export const people = defineResource("person_list", {
  name: "people",
  title: "People",
  one: "Person",
  icon: UsersRound,
  columns: personColumns,
  search: ["display_name", "user_principal_name", "mail", "customer_name"],
  filters: [
    {
      id: "account",
      label: "Account",
      single: true,
      options: [
        { value: "members", label: "member" },
        { value: "guests", label: "guest" },
        { value: "admins", label: "administrator" },
        { value: "blocked", label: "sign-in blocked" },
        { value: "gone", label: "deleted" },
      ],
      where: ([value]) =>
        value === "gone"
          ? [{ column: "missing_since", op: "not_null" }]
          : value === "blocked"
            ? [{ column: "account_enabled", op: "is", value: false }]
            : value === "admins"
              ? [{ column: "is_admin", op: "is", value: true }]
              : [{ column: "user_type", op: "eq", value: value === "guests" ? "guest" : "member" }],
    },
    {
      id: "licensed",
      label: "Licenses",
      single: true,
      options: [
        { value: "yes", label: "has one" },
        { value: "no", label: "has none" },
      ],
      where: ([value]) => [value === "yes" ? { column: "licenses_count", op: "gte", value: 1 } : { column: "licenses_count", op: "eq", value: 0 }],
    },
    mfaFilter,
  ],
  defaultSort: "display_name",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => paths.person(row.customer_id, row.id),
  rowKey: (row) => row.id,
  empty: { title: "No people yet", next: "They come from Microsoft 365: map its tenants to customers under Integrations, then synchronize." },
});

/** Who may not sign in any more and still holds licenses or roles. */
export const leavers = defineResource("leaver_list", {
  name: "people/leavers",
  title: "Leavers",
  one: "Leaver",
  icon: UserRound,
  columns: (c) => [
    c.title("display_name", { label: "Person", aside: (row) => row.user_principal_name, className: "max-w-80" }),
    c.custom("disabled_seen_at", { label: "Blocked since", className: "text-sm text-ink-2" }, (row) =>
      row.disabled_seen_at ? <Ago at={row.disabled_seen_at} brief /> : <span className="text-ink-3" title="It was blocked already when it was read for the first time.">before the first read</span>,
    ),
    c.text("customer_name", { label: "Customer", className: "max-w-48" }),
    c.custom("licenses", { label: "Still holds", sort: false, className: "max-w-96" }, (row) => [...row.licenses, ...row.roles].join(", ")),
    c.money("money_per_month", (row) => row.currency ?? "USD", { label: "A month" }),
    c.freshness((row) => ({ observedAt: row.observed_at, complete: row.is_complete, staleAt: row.stale_at }), "observed_at"),
  ],
  search: ["display_name", "user_principal_name", "customer_name"],
  defaultSort: "display_name",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => paths.person(row.customer_id, row.id),
  rowKey: (row) => row.id,
  empty: { title: "Nobody who left holds anything", next: "No account whose sign-in is blocked has a license or an administrator role." },
});
