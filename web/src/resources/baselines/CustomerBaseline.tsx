import { useParams } from "react-router";
import { useRow } from "@/api/queries";
import { PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { RecordPage } from "@/kit/RecordPage";
import { useScope } from "@/kit/scope";
import { Badge } from "@/ui/Badge";
import { ButtonLink } from "@/ui/Button";
import { Entries } from "./Entries";

/** What is demanded of one customer only, over its tier and the baseline for everybody. */
export default function CustomerBaseline() {
  const { id = "" } = useParams();
  const scope = useScope();
  const up = { label: "Tenants against their baselines", to: scope.to("/drift/tenants") };
  const customer = useRow("customer_list", { columns: "id,name", where: [{ column: "id", op: "eq", value: id }] });
  return (
    <RecordPage result={customer} one="customer" up={up}>
      {(row) => (
        <>
          <PageHeader title={`Only for ${row.name}`} up={up} badge={<Badge tone="mute">Customer only</Badge>} actions={<ButtonLink to={paths.customer(row.id)}>The customer</ButtonLink>} />
          <p className="text-ink-2">An entry here replaces what the tier and the baseline for everybody say of the same setting, or switches it off.</p>
          <Entries layer={{ kind: "customer", id: row.id }} />
        </>
      )}
    </RecordPage>
  );
}
