import { CalendarCheck } from "lucide-react";
import { useState } from "react";
import { closeMonth } from "@/api/money";
import { useAction } from "@/kit/action";
import { endedMonths, monthName } from "@/kit/money";
import { usePeople } from "@/kit/people";
import { paths } from "@/kit/paths";
import { useCan } from "@/kit/permissions";
import { ReasonDialog } from "@/kit/ReasonDialog";
import { defineResource } from "@/kit/resource";
import { ResourceList } from "@/kit/ResourceList";
import { Button } from "@/ui/Button";
import { SelectField } from "@/ui/Field";

const MONTHS_OFFERED = 12;

function Person({ id }: { id: string | null }) {
  const { nameOf } = usePeople();
  return <>{nameOf(id) ?? "-"}</>;
}

const monthCloses = defineResource("month_close_list", {
  name: "month-closes",
  title: "Month close",
  one: "Closed month",
  many: "closed months",
  icon: CalendarCheck,
  columns: (c) => [
    { ...c.title("month", { label: "Month" }), cell: (row) => <b className="font-medium">{monthName(row.month)}</b> },
    c.count("differences_open", { label: "Left open" }),
    c.count("differences_listed", { label: "Listed" }),
    c.count("customers_skipped", { label: "Left out" }),
    c.custom("closed_by", { label: "Signed by", sort: false }, (row) => <Person id={row.closed_by} />),
    c.ago("closed_at", { label: "When", className: "text-sm text-ink-2" }),
    c.text("note", { label: "Note", sort: false, phone: "hide", className: "text-sm text-ink-2" }),
  ],
  defaultSort: "-month",
  tieBreak: "id",
  scopeColumn: null,
  path: (row) => paths.monthClose(row.id),
  rowKey: (row) => row.id,
  empty: { title: "No month is closed yet", next: "When a month has ended and counts and lines were compared since, sign it off here." },
});

export default function MonthCloseList() {
  const { reason } = useCan();
  const [open, setOpen] = useState(false);
  return (
    <>
      <ResourceList
        resource={monthCloses}
        actions={
          <Button variant="primary" icon={<CalendarCheck aria-hidden className="size-3.5" />} reason={reason("billing:manage")} onClick={() => setOpen(true)}>
            Close a month…
          </Button>
        }
      />
      {open ? <CloseDialog onClose={() => setOpen(false)} /> : null}
    </>
  );
}

function CloseDialog({ onClose }: { onClose: () => void }) {
  const [months] = useState(() => endedMonths(Date.now(), MONTHS_OFFERED));
  const [month, setMonth] = useState(months[0] ?? "");
  const action = useAction({ quietError: true, onDone: onClose, act: (note: string) => closeMonth(month, note) });
  return (
    <ReasonDialog
      title="Close a month?"
      says="You sign off what was billed. Every difference that is not closed is written down as it is now, with your name; it cannot be changed afterwards."
      confirm="Sign off"
      reasonLabel="Note"
      hint="Needed when differences are open or customers were left out: say why the month is closed with them."
      busy={action.isBusy}
      error={action.error}
      onConfirm={(note) => action.run(note)}
      onClose={onClose}
    >
      <SelectField label="Month" value={month} onChange={(event) => setMonth(event.target.value)}>
        {months.map((each) => (
          <option key={each} value={each}>
            {monthName(each)}
          </option>
        ))}
      </SelectField>
    </ReasonDialog>
  );
}
