import { ChevronLeft, ChevronRight } from "lucide-react";
import { Link, useSearchParams } from "react-router";
import { rowKey, useRow, useRows } from "@/api/queries";
import type { PostureCheckRow } from "@/api/rows";
import { Ago } from "@/kit/Ago";
import { Freshness } from "@/kit/Freshness";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { RecordPage, TwoColumns, useRecordKey } from "@/kit/RecordPage";
import { RelatedTable } from "@/kit/RelatedTable";
import { useScope } from "@/kit/scope";
import { driftSeverities, postureOutcomes } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { count } from "@/kit/time";
import { IconButton } from "@/ui/Button";
import { Card, Fact, Facts } from "@/ui/Card";
import { Sparkline } from "@/ui/charts";
import { postureFindings } from "./columns";
import { checkText, findingsOf, missingWords, readWords } from "./facts";

const PAGE_ROWS = 50;

/** One check of one tenant: each finding, why it matters and what to do. */
export default function PostureCheckRecord() {
  const { customerId, id } = useRecordKey();
  const scope = useScope();
  const up = { label: "Checks", to: scope.to("/posture/checks") };
  const check = useRow("posture_check_list", { where: rowKey(customerId, id) });
  return (
    <RecordPage result={check} one="check" up={up}>
      {(row) => (
        <>
          <PageHeader
            title={row.title}
            up={up}
            badge={<StatusBadge of={postureOutcomes} value={row.outcome} />}
            meta={
              <Dots>
                {[
                  <Freshness key="fresh" source="Readings" observedAt={row.observed_at} staleAt={row.stale_at} complete={row.is_complete ?? false} />,
                  <Link key="tenant" to={scope.to(paths.posture(row.customer_id, row.posture_tenant_id))} className="hover:underline">{row.tenant_name}</Link>,
                  <span key="since">{row.outcome} since <Ago at={row.since} /></span>,
                ]}
              </Dots>
            }
          />
          <TwoColumns main={<Main row={row} />} side={<Side row={row} />} />
        </>
      )}
    </RecordPage>
  );
}

function Main({ row }: { row: PostureCheckRow }) {
  const [params, setParams] = useSearchParams();
  const page = Math.max(1, Number.parseInt(params.get("page") ?? "1", 10) || 1);
  const found = useRows("posture_finding_list", {
    where: [{ column: "customer_id", op: "eq", value: row.customer_id }, { column: "posture_check_id", op: "eq", value: row.id }],
    order: [{ column: "subject" }, { column: "id" }],
    offset: (page - 1) * PAGE_ROWS,
    limit: PAGE_ROWS,
    count: true,
    keep: true,
  });
  const pages = Math.max(1, Math.ceil(found.total / PAGE_ROWS));
  const turn = (to: number) => setParams((current) => { const next = new URLSearchParams(current); next.set("page", String(to)); return next; }, { preventScrollReset: true });
  return (
    <>
      {row.outcome === "unknown" ? (
        <Card title="Not known">
          <p className="px-3.5 py-3 [overflow-wrap:anywhere]">
            {missingWords(row)}.{row.known_at ? <> What stands below was known <Ago at={row.known_at} />.</> : null}
          </p>
        </Card>
      ) : null}
      <RelatedTable
        resource={postureFindings}
        title="Findings"
        result={found}
        columns={["subject", "detail", "first_seen_at"]}
        none={row.outcome === "unknown" ? "Nothing is known." : "Nothing was found."}
        aside={
          pages > 1 ? (
            <nav aria-label="Pages of findings" className="flex items-center gap-1">
              <IconButton label="Previous page" aria-disabled={page <= 1} className="aria-disabled:opacity-40" onClick={() => page > 1 && turn(page - 1)}>
                <ChevronLeft aria-hidden className="size-4" />
              </IconButton>
              <span className="tabular-nums">{page} / {count(pages)}</span>
              <IconButton label="Next page" aria-disabled={page >= pages} className="aria-disabled:opacity-40" onClick={() => page < pages && turn(page + 1)}>
                <ChevronRight aria-hidden className="size-4" />
              </IconButton>
            </nav>
          ) : (
            count(found.total)
          )
        }
      />
      <Card title="Why it matters, and what to do">
        <p className="border-b border-line px-3.5 py-2.5">{row.why}</p>
        <p className="px-3.5 py-2.5">{row.advice}</p>
      </Card>
    </>
  );
}

function Side({ row }: { row: PostureCheckRow }) {
  const values = findingsOf(row.days);
  return (
    <>
      <Card title="Trend">
        <div className="px-3.5 py-3">
          {values.length > 1 ? (
            <span className="block h-7.5">
              <Sparkline values={values} label={`Findings of the last ${values.length} days: ${values.join(", ")}`} />
            </span>
          ) : (
            <p className="text-sm text-ink-2">The trend begins with the second day.</p>
          )}
        </div>
      </Card>
      <Card title="Check">
        <Facts>
          <Fact name="Severity"><StatusBadge of={driftSeverities} value={row.severity} /></Fact>
          <Fact name="Found">{row.outcome === "unknown" ? "not known" : checkText(row)}</Fact>
          <Fact name="Stands on">{readWords(row.reads)}</Fact>
          <Fact name="Worked out"><Ago at={row.evaluated_at} /></Fact>
          {row.permission ? <Fact name="Right to give" mono>{row.permission}</Fact> : null}
        </Facts>
      </Card>
    </>
  );
}
