import { useParams } from "react-router";
import { useRow } from "@/api/queries";
import { Ago } from "@/kit/Ago";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { RecordPage } from "@/kit/RecordPage";
import { useScope } from "@/kit/scope";
import { count, plural } from "@/kit/time";
import { Badge } from "@/ui/Badge";
import { ButtonLink } from "@/ui/Button";
import { Entries } from "./Entries";

export default function BaselineRecord() {
  const { id = "" } = useParams();
  const scope = useScope();
  const up = { label: "Baselines", to: scope.to("/baselines") };
  const baseline = useRow("baseline_list", { where: [{ column: "id", op: "eq", value: id }] });
  return (
    <RecordPage result={baseline} one="baseline" up={up}>
      {(row) => (
        <>
          <PageHeader
            title={row.name}
            up={up}
            badge={row.kind === "provider" ? <Badge tone="info">Everybody</Badge> : <Badge tone="mute">Tier</Badge>}
            meta={
              <Dots>
                {[
                  plural(row.entries, "demand"),
                  plural(row.customers, "customer"),
                  `${count(row.drifts)} drifting`,
                  row.updated_at ? <span key="changed">changed <Ago at={row.updated_at} /></span> : "nothing demanded yet",
                ]}
              </Dots>
            }
            actions={<ButtonLink to={scope.to("/drift")}>Its drift</ButtonLink>}
          />
          {row.description ? <p className="text-ink-2">{row.description}</p> : null}
          <Entries layer={{ kind: row.kind, id: row.id }} />
        </>
      )}
    </RecordPage>
  );
}
