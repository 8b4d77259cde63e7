import { useRows } from "@/api/queries";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { count, duration, plural, useNow } from "@/kit/time";
import { Card, Fact, Facts } from "@/ui/Card";
import { BarChart } from "@/ui/charts";
import { callFigures, HOURS_SHOWN } from "./calls";

const EVERY_MS = 10_000;
const HOUR_MS = 3_600_000;
/** 24 hours of at most a handful of classes each. */
const ROWS_MAX = 500;

/** How often the vendor was asked in the last day, and how near to its limits. */
export function Calls({ integrationId, perDayMax }: { integrationId: string; perDayMax: number | null }) {
  const now = useNow(60_000);
  const first = Math.floor(now / HOUR_MS) * HOUR_MS - (HOURS_SHOWN - 1) * HOUR_MS;
  const calls = useRows("vendor_call_hours", {
    columns: "integration_id,hour,class,calls,throttled,failed,waited_ms",
    where: [
      { column: "integration_id", op: "eq", value: integrationId },
      { column: "hour", op: "gte", value: new Date(first).toISOString() },
    ],
    order: [{ column: "hour" }, { column: "class" }],
    limit: ROWS_MAX,
    every: EVERY_MS,
  });
  const { bars, classes, total } = callFigures(calls.rows, first);
  return (
    <Card title="Requests to the vendor" aside="last 24 hours">
      {calls.error ? <ErrorNotice error={calls.error} what="The requests could not be read." retry={calls.refetch} /> : null}
      {!calls.error && !calls.isPending && total.calls === 0 ? <p className="px-3.5 py-3 text-ink-2">None. They are counted when the first synchronization runs.</p> : null}
      {total.calls > 0 ? (
        <>
          <div className="px-3.5 pt-3">
            <BarChart bars={bars} label={`Requests by hour, ${count(total.calls)} in all`} />
          </div>
          <Facts>
            {classes.map((it) => (
              <Fact key={it.name} name={it.name}>
                {count(it.calls)}
                {it.throttled > 0 ? <span className="text-warn"> · {count(it.throttled)} throttled</span> : null}
                {it.failed > 0 ? <span className="text-warn"> · {plural(it.failed, "failure")}</span> : null}
                {it.waited_ms >= 1_000 ? <span className="text-ink-2"> · waited {duration(it.waited_ms)} for quotas</span> : null}
              </Fact>
            ))}
            {perDayMax === null ? null : (
              <Fact name="Of the vendor’s day">
                {((total.calls / perDayMax) * 100).toFixed(1)} % of {count(perDayMax)}
              </Fact>
            )}
          </Facts>
        </>
      ) : null}
    </Card>
  );
}
