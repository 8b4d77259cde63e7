import { Link } from "react-router";
import { useRows } from "@/api/queries";
import type { PersonListRow } from "@/api/rows";
import { RelatedTable } from "@/kit/RelatedTable";
import { scopedPath } from "@/kit/scope";
import { useTenantCoverage } from "./CoverageNotes";
import { directoryChanges, signIns } from "./columns";
import { emptyWords } from "./facts";

const EVENTS_SHOWN = 8;

/** The recent changes and sign-ins of one account. For the provider's people. */
export function AccountEvents({ row }: { row: Pick<PersonListRow, "customer_id" | "tenant_id" | "id" | "user_principal_name"> }) {
  const newest = {
    where: [{ column: "customer_id", op: "eq" as const, value: row.customer_id }, { column: "person_id", op: "eq" as const, value: row.id }],
    order: [{ column: "happened_at", descending: true }, { column: "id" }],
    limit: EVENTS_SHOWN,
  };
  const changed = useRows(directoryChanges.table, newest);
  const signedIn = useRows(signIns.table, newest);
  const logs = useTenantCoverage(row.customer_id, row.tenant_id).rows;
  const all = (area: string) => (
    <Link to={scopedPath(area, row.customer_id, { q: row.user_principal_name })} className="hover:underline">
      All
    </Link>
  );
  return (
    <>
      <RelatedTable
        resource={directoryChanges}
        title="Changes of this account"
        result={changed}
        columns={["activity", "licenses_added", "actor_name", "outcome", "happened_at"]}
        aside={all("/directory-changes")}
        none={emptyWords(logs.find((log) => log.stream === "directory_changes"), "no change of this account")}
      />
      <RelatedTable
        resource={signIns}
        title="Sign-ins"
        result={signedIn}
        columns={["app_name", "outcome", "country", "ip_address", "happened_at"]}
        aside={all("/sign-ins")}
        none={emptyWords(logs.find((log) => log.stream === "sign_in_log"), "no sign-in of this account")}
      />
    </>
  );
}
