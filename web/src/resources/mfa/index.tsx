import { ShieldX } from "lucide-react";
import { useRow } from "@/api/queries";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { paths } from "@/kit/paths";
import { defineResource } from "@/kit/resource";
import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { mfaOutcomes, mfaReasons, words } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { count } from "@/kit/time";
import { ButtonLink } from "@/ui/Button";
import { people, Standing } from "../people/columns";
import { MfaBar } from "../tenants/MfaBar";

/** Everyone who gets in with a password alone, or of whom nobody knows. */
const gaps = defineResource("person_list", {
  name: "mfa",
  title: "MFA gaps",
  one: "Gap",
  many: "people",
  icon: ShieldX,
  columns: (c) => [
    c.title("display_name", { label: "Person", aside: (row) => row.user_principal_name, className: "max-w-60 2xl:max-w-80" }),
    c.badge("mfa_outcome", mfaOutcomes, { label: "MFA" }),
    c.custom("is_admin", { label: "Account" }, (row) => <Standing row={row} />),
    c.text("customer_name", { label: "Customer", className: "max-w-44" }),
    c.custom("mfa_reason_kind", { label: "Why" }, (row) => <span title={row.mfa_reason_text ?? undefined}>{mfaReasons[row.mfa_reason_kind] ?? words(row.mfa_reason_kind)}</span>),
    c.custom("mfa_fix", { label: "Smallest fix", sort: false, phone: "hide", className: "max-w-64 2xl:max-w-xl text-sm text-ink-2" }, (row) => <span title={row.mfa_fix ?? undefined}>{row.mfa_fix ?? "-"}</span>),
    c.freshness((row) => ({ observedAt: row.observed_at, complete: row.is_complete, staleAt: row.stale_at }), "observed_at"),
  ],
  search: people.search,
  filters: [
    {
      id: "outcome",
      label: "MFA",
      single: true,
      options: [
        { value: "gap", label: "gap", status: mfaOutcomes.gap },
        { value: "unknown", label: "unknown", status: mfaOutcomes.unknown },
      ],
      where: ([value]) => [{ column: "mfa_outcome", op: "eq", value: value ?? "gap" }],
    },
    {
      id: "why",
      label: "Why",
      options: Object.entries(mfaReasons).map(([value, label]) => ({ value, label })),
      where: (values) => [{ column: "mfa_reason_kind", op: "in", values }],
    },
    {
      id: "account",
      label: "Account",
      single: true,
      options: [
        { value: "admins", label: "administrator" },
        { value: "guests", label: "guest" },
      ],
      where: ([value]) => (value === "guests" ? [{ column: "user_type", op: "eq", value: "guest" }] : [{ column: "is_admin", op: "is", value: true }]),
    },
  ],
  where: [
    { column: "mfa_outcome", op: "in", values: ["gap", "unknown"] },
    { column: "missing_since", op: "is", value: null },
  ],
  defaultSort: "-is_admin",
  tieBreak: "id",
  scopeColumn: "customer_id",
  path: (row) => paths.person(row.customer_id, row.id),
  rowKey: (row) => row.id,
  empty: { title: "No gap is known", next: "Everyone who was read is asked for a second factor, or exempt for a stated reason." },
});

export default function MfaGaps() {
  const scope = useScope();
  return <ResourceList resource={gaps} banner={<Split />} actions={<ButtonLink to={scope.to("/tenants")}>By tenant</ButtonLink>} />;
}

const NOBODY = { protected: 0, exempt: 0, gap: 0, unknown: 0 };

/** All people in four parts. */
function Split() {
  const scope = useScope();
  // The row without a customer is the sum.
  const sums = useRow("mfa_overview", { where: scope.customerId ? scope.where : [{ column: "customer_id", op: "is", value: null }] });
  if (sums.error) return <ErrorNotice error={sums.error} what="The sums could not be read." retry={sums.refetch} />;
  // The same place whether the numbers are there or not: the list below stays where it is.
  const row = sums.row;
  return (
    <div className="grid gap-2 border-b border-line px-3.5 py-2.5" aria-busy={sums.isPending}>
      <ul className="grid grid-cols-2 gap-y-2 sm:flex sm:gap-x-8">
        {(["gap", "unknown", "exempt", "protected"] as const).map((outcome) => (
          <li key={outcome} className="flex items-center gap-2">
            <span className="text-lg font-semibold tabular-nums">{row ? count(row[outcome]) : sums.isPending ? "…" : "0"}</span>
            <StatusBadge of={mfaOutcomes} value={outcome} />
          </li>
        ))}
      </ul>
      <MfaBar {...(row ?? NOBODY)} />
    </div>
  );
}
