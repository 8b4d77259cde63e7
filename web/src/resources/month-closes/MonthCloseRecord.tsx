import { Download, Printer } from "lucide-react";
import { askToExport } from "@/api/actions";
import { isRecord, stringOrNull } from "@/api/errors";
import { rowKey, useRow } from "@/api/queries";
import type { MonthCloseRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { csv, saveText } from "@/kit/csv";
import { money, monthName, quantity } from "@/kit/money";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { usePeople } from "@/kit/people";
import { RecordPage, useRecordKey } from "@/kit/RecordPage";
import { differenceStates, directions, statusOf } from "@/kit/status";
import { fullTime, plural } from "@/kit/time";
import { Button } from "@/ui/Button";
import { Card, Fact, Facts } from "@/ui/Card";

const UP = { label: "Month close", to: "/month-closes" };
const COLUMNS = ["customer", "product", "direction", "counted", "billed", "money_per_month", "currency", "state", "cause", "ignored_reason"] as const;
type Left = Record<(typeof COLUMNS)[number], string>;

export default function MonthCloseRecord() {
  const { id } = useRecordKey();
  const close = useRow("month_closes", { where: rowKey(null, id), columns: "id,month,note,closed_by,closed_at,customers_done,customers_skipped,differences_open,differences,totals" , every: false });
  return (
    <RecordPage result={close} one="closed month" up={UP}>
      {(row) => <Statement row={row} />}
    </RecordPage>
  );
}

function readLeft(value: unknown): Left[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isRecord).map((row) => {
    const text = (name: string) => stringOrNull(row[name]) ?? "";
    return {
      customer: text("customer"), product: text("product"), direction: text("direction"), counted: text("counted"), billed: text("billed"),
      money_per_month: text("money_per_month"), currency: text("currency"), state: text("state"), cause: text("cause"), ignored_reason: text("ignored_reason"),
    };
  });
}

function Statement({ row }: { row: MonthCloseRow }) {
  const { nameOf } = usePeople();
  const left = readLeft(row.differences);
  const totals = Array.isArray(row.totals) ? row.totals.filter(isRecord) : [];
  const title = `Billing of ${monthName(row.month)}`;
  const file = useAction({
    act: async () => {
      await askToExport();
      saveText(`month-close-${row.month.slice(0, 7)}.csv`, csv(COLUMNS, left.map((each) => COLUMNS.map((column) => each[column]))), "text/csv");
      return `${plural(left.length, "difference")} written.`;
    },
  });
  return (
    <>
      <PageHeader
        title={title}
        up={UP}
        meta={<Dots>{[`signed off by ${nameOf(row.closed_by) ?? "somebody who left"}`, fullTime(row.closed_at)]}</Dots>}
        actions={
          <span className="no-print inline-flex gap-2">
            <Button icon={<Download aria-hidden className="size-3.5" />} busy={file.isBusy} reason={left.length === 0 ? "No difference was left." : null} onClick={() => file.run()}>
              CSV
            </Button>
            <Button
              icon={<Printer aria-hidden className="size-3.5" />}
              title="The browser prints it, or saves it as a PDF."
              onClick={() => {
                window.print();
              }}
            >
              Print or PDF
            </Button>
          </span>
        }
      />
      <Card title="Sums">
        <Facts>
          {totals.map((each) => {
            const currency = stringOrNull(each.currency) ?? "";
            const sum = (name: string) => money(stringOrNull(each[name]) ?? 0, currency);
            return (
              <Fact key={currency} name={`A month, ${currency}`}>
                {sum("under_per_month")} too little · {sum("over_per_month")} too much · {sum("waiting_per_month")} corrected, waiting for a bill · {sum("recovered_per_month")} recovered
              </Fact>
            );
          })}
          <Fact name="Compared">{plural(row.customers_done, "customer")}{row.customers_skipped > 0 ? `, ${row.customers_skipped} left out` : ""}</Fact>
          <Fact name="Left open">{plural(row.differences_open, "difference")}</Fact>
          {row.note ? <Fact name="Note">{row.note}</Fact> : null}
        </Facts>
      </Card>
      <Card title="What was left" aside={plural(left.length, "difference")} className="overflow-x-auto">
        {left.length === 0 ? (
          <p className="px-3.5 py-4 text-ink-2">Nothing: what was counted was what was billed.</p>
        ) : (
          <table className="w-full text-left">
            <thead>
              <tr className="border-b border-line text-sm text-ink-2">
                {["Customer", "Product", "Counted", "Billed", "A month", "State"].map((head) => (
                  <th key={head} scope="col" className="px-3.5 py-1.5 font-medium">{head}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {left.map((each, index) => (
                <tr key={index} className="border-b border-line align-top last:border-b-0">
                  <th scope="row" className="px-3.5 py-1.5 font-medium">{each.customer}</th>
                  <td className="px-3.5 py-1.5">
                    {each.product}
                    <span className="block text-sm text-ink-2">{each.cause}</span>
                  </td>
                  <td className="px-3.5 py-1.5 tabular-nums">{quantity(each.counted)}</td>
                  <td className="px-3.5 py-1.5 tabular-nums">{quantity(each.billed)}</td>
                  <td className="px-3.5 py-1.5 whitespace-nowrap tabular-nums" title={statusOf(directions, each.direction).label}>
                    {each.money_per_month === "" ? "-" : money(each.money_per_month, each.currency)}
                  </td>
                  <td className="px-3.5 py-1.5">
                    {statusOf(differenceStates, each.state).label}
                    {each.ignored_reason ? <span className="block text-sm text-ink-2">{each.ignored_reason}</span> : null}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Card>
    </>
  );
}
