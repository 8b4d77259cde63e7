import { useState } from "react";
import { readFault } from "@/api/plan";
import { rowKey, useRow, useRows } from "@/api/queries";
import type { SourceListRow, SyncPartRow, SyncRunRow } from "@/api/rows";
import { Ago } from "@/kit/Ago";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { Freshness } from "@/kit/Freshness";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { usePeople } from "@/kit/people";
import { RecordPage, TwoColumns, useRecordKey } from "@/kit/RecordPage";
import { syncStates, words } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { count, duration, plural, shortSpan, useNow } from "@/kit/time";
import { Card, Fact, Facts } from "@/ui/Card";
import { Meter } from "@/ui/charts";
import { SkeletonRows } from "@/ui/Skeleton";
import { cx } from "@/ui/cx";
import { ConnectionButtons } from "./Connection";
import { CredentialsEnd } from "./CredentialsEnd";
import { ActingPerson } from "./ActingPerson";
import { AcceptFall } from "./AcceptFall";
import { Calls } from "./Calls";
import { connectForms } from "./connect";
import { Organizations } from "./Organizations";
import { isOpenSync } from "./sync";
import { SyncButtons } from "./SyncButtons";
import { sourceAge, vendorOf } from "@/kit/vendors";

const LIVE_MS = 1_000;
const RUNS_SHOWN = 12;
const UP = { label: "Integrations", to: "/integrations" };

export default function IntegrationRecord() {
  const { id } = useRecordKey();
  const source = useRow("source_list", { where: rowKey(null, id), every: (rows) => (isOpenSync(rows[0]?.last_state ?? null) ? LIVE_MS : 5_000) });
  const setup = useRow("integrations", { where: rowKey(null, id), columns: "id,vendor,name,base_url,sync_interval_s,full_sync_interval_s,enabled,credentials_end_at" });
  const open = isOpenSync(source.row?.last_state ?? null);
  const syncs = useRows("sync_runs", {
    columns: "id,integration_id,kind,state,requested_by,reason,queued_at,started_at,ended_at,resumed_count,error,accepted_run_id,accepted_by,accepted_at,accepted_reason",
    where: [{ column: "integration_id", op: "eq", value: id }],
    order: [{ column: "queued_at", descending: true }],
    limit: RUNS_SHOWN,
    every: open ? LIVE_MS : 5_000,
  });
  const [picked, setPicked] = useState<string | null>(null);
  const shown = syncs.rows.find((row) => row.id === picked) ?? syncs.rows[0] ?? null;
  return (
    <RecordPage result={source} one="integration" up={UP}>
      {(row) => (
        <>
          <PageHeader
            title={row.name}
            up={UP}
            badge={row.last_state ? <StatusBadge of={syncStates} value={row.last_state} /> : null}
            meta={
              <Dots>
                {[
                  <Freshness key="fresh" source={vendorOf(row.vendor).readsEachAccount ? "Last read" : "Last complete read"} {...sourceAge(row)} />,
                  vendorOf(row.vendor).name,
                  row.base_url,
                ]}
              </Dots>
            }
            actions={<SyncButtons source={row} />}
          />
          <TwoColumns
            main={
              <>
                {row.credentials_failed_at ? <CredentialsFailed source={row} /> : null}
                {syncs.isPending ? (
                  <Card title="Synchronization">
                    <SkeletonRows rows={6} />
                  </Card>
                ) : shown ? (
                  <SyncProgress sync={shown} isLatest={shown.id === syncs.rows[0]?.id} source={row} acceptedIn={syncs.rows.find((sync) => sync.accepted_run_id === shown.id) ?? null} />
                ) : (
                  <Card title="Synchronization">
                    <p className="px-3.5 py-4 text-ink-2">It has not been synchronized yet. “Full sync” reads everything once.</p>
                  </Card>
                )}
                <Organizations integrationId={id} vendor={vendorOf(row.vendor)} staleAfterMs={row.stale_after_s * 1_000} />
              </>
            }
            side={
              <>
                <Card title="Connection">
                  <Facts>
                    {row.vendor === "ninjaone" ? (
                      <Fact name="Webhook">{row.webhook_registered_at ? <>registered <Ago at={row.webhook_registered_at} /></> : "not registered: changes arrive by polling"}</Fact>
                    ) : null}
                    {vendorOf(row.vendor).saysChanges ? <Fact name="Reads changes every">{setup.row ? shortSpan(setup.row.sync_interval_s * 1_000) : "…"}</Fact> : null}
                    <Fact name="Reads everything every">{setup.row ? shortSpan(setup.row.full_sync_interval_s * 1_000) : "…"}</Fact>
                    <Fact name={`${words(vendorOf(row.vendor).account)}s`}>{row.organizations} · {row.organizations_unmapped} unmapped</Fact>
                    {row.vendor === "ninjaone" ? <Fact name="Devices kept out">{count(row.devices_unmapped)}</Fact> : null}
                  </Facts>
                  {setup.row ? <CredentialsEnd id={id} at={setup.row.credentials_end_at} /> : null}
                  {row.vendor === "ninjaone" ? <ActingPerson integrationId={id} /> : null}
                  <ConnectionButtons source={row} />
                </Card>
                <Calls integrationId={id} perDayMax={vendorOf(row.vendor).callsPerDayMax ?? null} />
                <Card title="Synchronizations" aside={`last ${syncs.rows.length}`}>
                  {syncs.error ? <ErrorNotice error={syncs.error} what="The synchronizations could not be read." retry={syncs.refetch} /> : null}
                  <ul>
                    {syncs.rows.map((sync) => (
                      <li key={sync.id} className="border-b border-line last:border-b-0">
                        <button
                          type="button"
                          aria-pressed={sync.id === shown?.id}
                          onClick={() => setPicked(sync.id)}
                          className={cx("flex min-h-9 w-full flex-wrap items-center gap-x-3 px-3.5 py-1 text-left hover:bg-hover", sync.id === shown?.id && "bg-accent-soft")}
                        >
                          <StatusBadge of={syncStates} value={sync.state} />
                          <span>{words(sync.kind)}</span>
                          <span className="text-sm text-ink-2">{sync.reason}</span>
                          <span className="ml-auto text-sm text-ink-2"><Ago at={sync.queued_at} /></span>
                        </button>
                      </li>
                    ))}
                  </ul>
                </Card>
              </>
            }
          />
        </>
      )}
    </RecordPage>
  );
}

/** Nothing works through this source until somebody who can sign in at the vendor acts: says what to do. */
function CredentialsFailed({ source }: { source: SourceListRow }) {
  return (
    <Card title="The credentials do not work" aside={source.credentials_failed_at ? <Ago at={source.credentials_failed_at} /> : null}>
      <p className="border-b border-line bg-bad-soft px-3.5 py-2 text-bad [overflow-wrap:anywhere]">{source.credentials_problem}</p>
      <ol className="grid list-decimal gap-1 py-3 pr-3.5 pl-8">
        <li>{connectForms[source.vendor]?.renew}</li>
        <li>
          Give them here, under Connection, New credentials; or on the server with <code className="font-mono">{connectForms[source.vendor]?.command}</code>.
        </li>
        <li>Synchronize. This notice goes when a call works.</li>
      </ol>
      <p className="border-t border-line px-3.5 py-2 text-sm text-ink-2">Until then nothing is read from this source and no automation acts through it. Nothing was removed because of it.</p>
    </Card>
  );
}

interface SyncProgressProps {
  sync: SyncRunRow;
  isLatest: boolean;
  source: SourceListRow;
  /** The run in which a person accepted what this one held back. */
  acceptedIn: SyncRunRow | null;
}

function SyncProgress({ sync, isLatest, source, acceptedIn }: SyncProgressProps) {
  const open = isOpenSync(sync.state);
  const now = useNow(open ? 1_000 : 60_000);
  const { nameOf } = usePeople();
  const parts = useRows("sync_parts", {
    columns: "sync_run_id,part,position,state,pages_read,rows_read,rows_created,rows_updated,rows_unchanged,rows_removed,rows_unmapped,rows_before,rows_to_ask,rows_asked,reads,started_at,ended_at,error",
    where: [{ column: "sync_run_id", op: "eq", value: sync.id }],
    order: [{ column: "position" }],
    every: open ? LIVE_MS : 15_000,
  });
  const done = parts.rows.filter((part) => !isOpenSync(part.state)).length;
  const started = sync.started_at ? Date.parse(sync.started_at) : null;
  const took = started === null ? null : duration((sync.ended_at ? Date.parse(sync.ended_at) : now) - started);
  const fault = readFault(sync.error);
  const held = source.held_run_id === sync.id ? parts.rows.filter((part) => part.state === "suspect" && part.rows_to_ask !== null) : [];
  return (
    <Card title={isLatest ? (open ? "Synchronization in progress" : "Last synchronization") : "Synchronization"} aside={<StatusBadge of={syncStates} value={sync.state} />}>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line px-3.5 py-2.5 text-sm text-ink-2">
        <span>{words(sync.kind)}, {sync.requested_by ? `asked by ${nameOf(sync.requested_by) ?? "somebody"}` : sync.reason}</span>
        <span>{sync.started_at ? <>started <Ago at={sync.started_at} /></> : <>queued <Ago at={sync.queued_at} /></>}</span>
        {took ? <span>{open ? "running for" : "took"} {took}</span> : null}
        {sync.resumed_count > 0 ? <span>resumed {plural(sync.resumed_count, "time")}</span> : null}
        <span className="ml-auto inline-flex items-center gap-2" role="status">
          <Meter percent={parts.rows.length === 0 ? 0 : (done / parts.rows.length) * 100} tone="accent" className="w-24" />
          {done} of {plural(parts.rows.length, "part")}
        </span>
      </div>
      {fault ? <p className="border-b border-line bg-bad-soft px-3.5 py-2 text-bad">{fault}</p> : null}
      {sync.accepted_at ? (
        <p className="border-b border-line bg-info-soft px-3.5 py-2 [overflow-wrap:anywhere]">
          What was held back was accepted by {nameOf(sync.accepted_by) ?? "somebody"} <Ago at={sync.accepted_at} />: “{sync.accepted_reason}”
        </p>
      ) : null}
      {acceptedIn?.accepted_at ? (
        <p className="border-b border-line bg-info-soft px-3.5 py-2 [overflow-wrap:anywhere]">
          {nameOf(acceptedIn.accepted_by) ?? "Somebody"} accepted what this one held back <Ago at={acceptedIn.accepted_at} />: “{acceptedIn.accepted_reason}”
        </p>
      ) : null}
      {held.length > 0 ? (
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2 border-b border-line bg-warn-soft px-3.5 py-2.5">
          <p className="min-w-0 flex-1 basis-72 text-warn">
            Two complete readings agree that {count(held.reduce((sum, part) => sum + (part.rows_to_ask ?? 0), 0))} rows are gone. That is too much to be believed without a person: nothing was removed.
          </p>
          <AcceptFall source={source} parts={held} />
        </div>
      ) : null}
      {parts.error ? <ErrorNotice error={parts.error} what="The progress could not be read." kept="The synchronization goes on at the server." retry={parts.refetch} /> : null}
      {parts.isPending ? <SkeletonRows rows={5} /> : null}
      <ul>
        {parts.rows.map((part) => (
          <Part key={part.part} part={part} />
        ))}
      </ul>
    </Card>
  );
}

function Part({ part }: { part: SyncPartRow }) {
  // A part that a person accepted keeps the doubt of its first reading until it ends.
  const asks = (part.rows_to_ask ?? 0) > 0 && (part.state !== "suspect" || part.ended_at === null);
  const fault = asks && part.state === "suspect" ? null : readFault(part.error);
  const changed = [
    [part.rows_created, "new"],
    [part.rows_updated, "changed"],
    [part.rows_unchanged, "unchanged"],
    [part.rows_removed, "gone"],
  ] as const;
  const words_ = changed.filter(([rows]) => rows > 0).map(([rows, word]) => `${count(rows)} ${word}`);
  return (
    <li className="border-b border-line px-3.5 py-2 last:border-b-0">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="min-w-0 flex-1 basis-36 font-medium">{words(part.part)}</span>
        <span className="text-sm text-ink-2 tabular-nums">
          {count(part.rows_read)} rows, {plural(part.pages_read, "page")}
          {part.reads > 1 ? `, read ${part.reads} times` : ""}
        </span>
        <StatusBadge of={syncStates} value={part.state} />
      </div>
      <p className="text-sm text-ink-2">
        {words_.join(" · ")}
        {part.rows_unmapped > 0 ? <span className="font-medium text-warn">{words_.length > 0 ? " · " : ""}{count(part.rows_unmapped)} of unmapped organizations, kept out</span> : null}
      </p>
      {asks ? (
        <p className="mt-1 flex flex-wrap items-center gap-2 text-sm text-ink-2">
          <Meter percent={(part.rows_asked / (part.rows_to_ask ?? 1)) * 100} tone="accent" className="w-24" />
          asked for {count(part.rows_asked)} of {count(part.rows_to_ask ?? 0)} that the list lacks
        </p>
      ) : null}
      {part.state === "suspect" && !asks ? (
        <p className="mt-1 text-sm text-warn">
          {part.rows_before === null ? "" : `${count(part.rows_before)} rows before, ${count(part.rows_read)} now. `}
          The answer is held back: nothing was removed. {part.rows_to_ask === null ? "It is read again at once." : "It is read again at the next synchronization, and stays held back until it is accepted."}
        </p>
      ) : null}
      {fault ? <p className={`mt-1 text-sm [overflow-wrap:anywhere] ${part.state === "complete" ? "text-ink-2" : "text-bad"}`}>{fault}</p> : null}
    </li>
  );
}
