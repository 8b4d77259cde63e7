import { Link } from "react-router";
import { rowKey, useRow } from "@/api/queries";
import type { DifferenceRow } from "@/api/rows";
import { Ago } from "@/kit/Ago";
import { Freshness } from "@/kit/Freshness";
import { money, quantity } from "@/kit/money";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { usePeople } from "@/kit/people";
import { RecordPage, TwoColumns, useRecordKey } from "@/kit/RecordPage";
import { useScope } from "@/kit/scope";
import { causes, differenceStates, directions } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { fullTime, plural } from "@/kit/time";
import { Badge } from "@/ui/Badge";
import { Card, Fact, Facts } from "@/ui/Card";
import { cx } from "@/ui/cx";
import { DifferenceActions } from "./actions";
import { readCause, type CauseUnit } from "./cause";
import { boundWords, isBound, untilDay } from "./commitment";
import { closeWords } from "./columns";

const OPEN_MS = 3_000;
const CALM_MS = 15_000;

export default function DifferenceRecord() {
  const { customerId, id } = useRecordKey();
  const scope = useScope();
  const up = { label: "Billing differences", to: scope.to("/differences") };
  const difference = useRow("difference_list", { where: rowKey(customerId, id), every: (rows) => (rows[0]?.state === "changing" ? OPEN_MS : CALM_MS) });
  return (
    <RecordPage result={difference} one="difference" up={up}>
      {(row) => (
        <>
          <PageHeader
            title={`${row.product_name}: ${quantity(row.counted)} counted, ${quantity(row.billed)} billed`}
            up={up}
            badge={<StatusBadge of={differenceStates} value={row.state} />}
            meta={
              <Dots>
                {[
                  <Link key="customer" to={paths.customer(row.customer_id)} className="hover:underline">{row.customer_name}</Link>,
                  <span key="seen">first seen <Ago at={row.first_seen_at} /></span>,
                  <span key="rule">rule “{row.rule_name}”</span>,
                ]}
              </Dots>
            }
            actions={<DifferenceActions row={row} />}
          />
          <TwoColumns
            main={
              <>
                <Sentence row={row} />
                <CauseCard row={row} />
              </>
            }
            side={<Side row={row} />}
          />
        </>
      )}
    </RecordPage>
  );
}

/** The whole difference in one look: counted, billed, money. */
function Sentence({ row }: { row: DifferenceRow }) {
  return (
    <Card title="What differs" aside={<StatusBadge of={directions} value={row.direction} />}>
      {row.stale_since ? (
        <p className="border-b border-line bg-warn-soft px-3.5 py-2 text-warn">
          Its facts are old since <Ago at={row.stale_since} />: {row.stale_reason} Nothing is decided on them.
        </p>
      ) : null}
      {isBound(row) ? (
        <p className="border-b border-line bg-wait-soft px-3.5 py-2">
          <span className="font-medium">Committed until {untilDay(row)}:</span> {boundWords(row)}. From that day on it can go down; up it can go at any time.
        </p>
      ) : null}
      {row.state_text ? <p className="border-b border-line bg-info-soft px-3.5 py-2 [overflow-wrap:anywhere]">{row.state_text}</p> : null}
      <dl className="grid grid-cols-2 gap-x-4 gap-y-3 px-3.5 py-3 md:grid-cols-5">
        <Figure name="Counted" value={quantity(row.counted)} />
        <Figure name="Billed" value={quantity(row.billed)} />
        <Figure name="Difference" value={`${row.difference > 0 ? "+" : ""}${quantity(row.difference)}`} />
        <Figure
          name="Money a month"
          value={row.money_per_month === null ? "no rate known" : money(row.money_per_month, row.currency)}
          note={row.rate === null ? undefined : `${money(row.rate, row.currency)} each, ${rateSources[row.rate_source]}`}
        />
        <Figure
          name="So far this month"
          value={row.money_so_far === null ? "-" : money(row.money_so_far, row.currency)}
          note={row.money_so_far === null || row.prorated_since === null ? undefined : `by the day, since ${row.prorated_since.slice(0, 10)}`}
        />
      </dl>
    </Card>
  );
}

const rateSources: Record<DifferenceRow["rate_source"], string> = {
  line: "the line's rate",
  former_line: "the rate of the disconnected line",
  product: "the product's own rate",
  none: "",
};

function Figure({ name, value, note }: { name: string; value: string; note?: string | undefined }) {
  return (
    <div>
      <dt className="text-sm text-ink-2">{name}</dt>
      <dd className="text-xl font-semibold tabular-nums">{value}</dd>
      {note ? <dd className="text-sm text-ink-2">{note}</dd> : null}
    </div>
  );
}

function CauseCard({ row }: { row: DifferenceRow }) {
  const cause = readCause(row.cause);
  return (
    <Card title="Why" aside={<StatusBadge of={causes} value={row.cause_kind} />}>
      <p className="border-b border-line px-3.5 py-2.5 [overflow-wrap:anywhere]">{row.cause_text}</p>
      {cause.lines.length > 0 ? (
        <ul aria-label="Lines">
          {cause.lines.map((line) => (
            <li key={line.id} className={cx("flex min-h-9 flex-wrap items-center gap-x-3 border-b border-line px-3.5 py-1.5", cause.devices.length + cause.people.length === 0 && "last:border-b-0")}>
              <span className="min-w-0 flex-1">
                Line <span className="font-mono">{line.ref}</span>, quantity {quantity(line.quantity)}
                {line.rate === null ? "" : `, ${money(line.rate, row.currency)} each`}
              </span>
              {line.active ? <Badge tone="ok">Active</Badge> : <Badge tone="mute">Disconnected</Badge>}
              {line.disconnectedAt ? <span className="text-sm text-ink-2"><Ago at={line.disconnectedAt} /></span> : null}
            </li>
          ))}
        </ul>
      ) : null}
      <Units label="Devices" noun={["device", "devices"]} units={cause.devices} total={cause.devicesTotal} row={row} path={paths.device} />
      <Units label="People" noun={["person", "people"]} units={cause.people} total={cause.peopleTotal} row={row} path={paths.person} />
    </Card>
  );
}

interface UnitsProps {
  label: string;
  noun: readonly [one: string, many: string];
  units: CauseUnit[];
  total: number;
  row: DifferenceRow;
  path: (customerId: string, id: string) => string;
}

/** What makes the difference, one by one. */
function Units({ label, noun, units, total, row, path }: UnitsProps) {
  const scope = useScope();
  if (units.length === 0) return null;
  return (
    <ul aria-label={label}>
      {units.map((unit) => (
        <li key={unit.id} className="relative flex min-h-9 items-center gap-3 border-b border-line px-3.5 py-1.5 last:border-b-0 hover:bg-hover">
          {unit.known ? (
            <Link to={scope.to(path(row.customer_id, unit.id))} className="min-w-0 flex-1 truncate font-medium after:absolute after:inset-0">{unit.name}</Link>
          ) : (
            <span className="min-w-0 flex-1 truncate font-medium">{unit.name}</span>
          )}
          {unit.at ? (
            <span className="truncate text-sm text-ink-2" title={`${fullTime(unit.at)}${unit.by ? ` by ${unit.by}` : ""}`}>
              {row.direction === "under" ? "added" : "gone"} {unit.by ? `by ${unit.by} ` : ""}<Ago at={unit.at} />
            </span>
          ) : null}
        </li>
      ))}
      {total > units.length ? <li className="px-3.5 py-2 text-sm text-ink-2">and {plural(total - units.length, `more ${noun[0]}`, `more ${noun[1]}`)}</li> : null}
    </ul>
  );
}

function Side({ row }: { row: DifferenceRow }) {
  const scope = useScope();
  const { nameOf } = usePeople();
  return (
    <>
      <Card title="Billed line">
        <Facts>
          <Fact name="Line at Rev.io" mono>{row.line_ref ?? "none"}</Fact>
          <Fact name="Quantity now">{row.line_quantity === null ? "-" : quantity(row.line_quantity)}</Fact>
          <Fact name="Contract until">{row.line_contract_end_at ? fullTime(row.line_contract_end_at) : "no term"}</Fact>
          <Fact name={row.counts === "seats" ? "Seats read" : "Devices read"}><Freshness observedAt={row.devices_observed_at} staleAt={null} /></Fact>
          <Fact name="Lines read"><Freshness observedAt={row.lines_observed_at} staleAt={null} /></Fact>
        </Facts>
      </Card>
      {row.state === "ignored" || row.ignored_reason ? (
        <Card title="Ignored">
          <Facts>
            <Fact name="By">{nameOf(row.ignored_by) ?? "-"}</Fact>
            <Fact name="Until">{row.ignored_until ? fullTime(row.ignored_until) : "-"}</Fact>
            <Fact name="Because">{row.ignored_reason ?? "-"}</Fact>
          </Facts>
        </Card>
      ) : null}
      {row.run_id || row.changed_at || row.closed_at ? (
        <Card title="Correction">
          <Facts>
            {row.run_id ? <Fact name="Run"><Link to={scope.to(paths.run(row.customer_id, row.run_id))} className="underline">Open the run</Link></Fact> : null}
            {row.changed_at ? <Fact name="Read back">{row.changed_quantity === null ? "" : `quantity ${quantity(row.changed_quantity)}, `}<Ago at={row.changed_at} /></Fact> : null}
            {row.state === "waiting_for_invoice" ? <Fact name="Closes">when a bill carries the new quantity</Fact> : null}
            {row.closed_at ? <Fact name="Closed">{closeWords(row.close_reason, row.bill_number)}, <Ago at={row.closed_at} /></Fact> : null}
          </Facts>
        </Card>
      ) : null}
    </>
  );
}
