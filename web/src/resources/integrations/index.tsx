import { Plug } from "lucide-react";
import { useRows } from "@/api/queries";
import type { SourceListRow } from "@/api/rows";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { Freshness } from "@/kit/Freshness";
import { PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { syncStates, words } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { plural } from "@/kit/time";
import { Badge } from "@/ui/Badge";
import { ButtonLink } from "@/ui/Button";
import { Card, Fact, Facts } from "@/ui/Card";
import { EmptyState } from "@/ui/EmptyState";
import { Skeleton, SkeletonRows } from "@/ui/Skeleton";
import { ConnectButton } from "./Connect";
import { SyncButtons } from "./SyncButtons";
import { isOpenSync } from "./sync";
import { keptOut, sourceAge, vendorOf } from "@/kit/vendors";

const OPEN_MS = 2_000;

export default function IntegrationList() {
  const sources = useRows("source_list", {
    order: [{ column: "name" }],
    every: (rows) => (rows.some((row) => isOpenSync(row.last_state)) ? OPEN_MS : 15_000),
  });
  return (
    <>
      <PageHeader title="Integrations" meta={sources.isPending ? "Reading…" : plural(sources.rows.length, "source")} actions={<ConnectButton />} />
      {sources.error ? (
        <Card>
          <ErrorNotice error={sources.error} what="The sources could not be read." retry={sources.refetch} />
        </Card>
      ) : null}
      {sources.isPending ? (
        <Card title={<Skeleton className="h-3.5 w-32" />}>
          <SkeletonRows rows={5} />
        </Card>
      ) : null}
      {!sources.isPending && !sources.error && sources.rows.length === 0 ? (
        <Card>
          <EmptyState icon={Plug} title="No source is connected">
            Connect NinjaOne, Rev.io, Microsoft 365, CIPP or SharePoint; what they call their customers appears here to be mapped.
          </EmptyState>
        </Card>
      ) : null}
      <div className="grid gap-4 lg:grid-cols-2">
        {sources.rows.map((source) => (
          <SourceCard key={source.id} source={source} />
        ))}
      </div>
    </>
  );
}

function SourceCard({ source }: { source: SourceListRow }) {
  const parts = source.parts_total ?? 0;
  return (
    <Card
      title={source.name}
      aside={source.enabled ? source.last_state ? <StatusBadge of={syncStates} value={source.last_state} /> : <Badge>Never synchronized</Badge> : <Badge>Switched off</Badge>}
    >
      {source.credentials_failed_at ? (
        <p className="border-b border-line bg-bad-soft px-3.5 py-2 text-bad [overflow-wrap:anywhere]">The credentials do not work. {source.credentials_problem}</p>
      ) : null}
      {source.held_run_id ? (
        <p className="border-b border-line bg-warn-soft px-3.5 py-2 text-warn">{plural(source.held_rows ?? 0, "row")} gone, held back. Nothing was removed.</p>
      ) : null}
      <Facts>
        <Fact name={vendorOf(source.vendor).readsEachAccount ? "Last read" : "Last complete read"}><Freshness {...sourceAge(source)} /></Fact>
        <Fact name="Last synchronization">
          {source.last_kind ?? "none"}
          {parts > 0 ? `, ${source.parts_complete ?? 0} of ${plural(parts, "part")} complete` : ""}
        </Fact>
        <Fact name={`${words(vendorOf(source.vendor).account)}s`}>
          {source.organizations}
          {source.organizations_unmapped > 0 ? (
            <span className="font-semibold text-warn">
              {" "}· {source.organizations_unmapped} unmapped ({keptOut(source)} kept out)
            </span>
          ) : ", all mapped"}
        </Fact>
        {source.vendor === "ninjaone" ? <Fact name="Webhook">{source.webhook_registered_at ? "registered" : "not registered: changes arrive by polling"}</Fact> : null}
        <Fact name="Address" mono>{source.base_url}</Fact>
      </Facts>
      <div className="flex flex-wrap items-center gap-2 border-t border-line px-3.5 py-3">
        <ButtonLink to={paths.integration(source.id)}>Open</ButtonLink>
        <SyncButtons source={source} />
      </div>
    </Card>
  );
}
