import { Link } from "react-router";
import { useRows } from "@/api/queries";
import type { PersonListRow } from "@/api/rows";
import { RelatedTable } from "@/kit/RelatedTable";
import { scopedPath } from "@/kit/scope";
import { directoryChanges, signIns } from "./columns";

const EVENTS_SHOWN = 8;

/** The recent changes and sign-ins of one account. For the provider's people. */
export function AccountEvents({ row }: { row: Pick<PersonListRow, "customer_id" | "id" | "user_principal_name"> }) {
  const newest = {
    where: [{ column: "customer_id", op: "eq" as const, value: row.customer_id }, { column: "person_id", op: "eq" as const, value: row.id }],
    order: [{ column: "happened_at", descending: true }, { column: "id" }],
    limit: EVENTS_SHOWN,
  };
  const changed = useRows(directoryChanges.table, newest);
  const signedIn = useRows(signIns.table, newest);
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
        none="What was read of the directory's log holds no change of this account."
      />
      <RelatedTable
        resource={signIns}
        title="Sign-ins"
        result={signedIn}
        columns={["app_name", "outcome", "country", "ip_address", "happened_at"]}
        aside={all("/sign-ins")}
        none="What was read of the log holds no sign-in of this account."
      />
    </>
  );
}
