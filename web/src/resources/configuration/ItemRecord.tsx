import { useState } from "react";
import { BadgeCheck, Pencil, Trash2 } from "lucide-react";
import { Link, useNavigate } from "react-router";
import { confirmItem, removeItem } from "@/api/configuration";
import { rowKey, useRow } from "@/api/queries";
import type { EnteredItemRow, ItemRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { Ago } from "@/kit/Ago";
import { sourceName } from "@/kit/changes";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { Freshness } from "@/kit/Freshness";
import { History } from "@/kit/History";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { useCan } from "@/kit/permissions";
import { Provenance } from "@/kit/Provenance";
import { RecordPage, TwoColumns, useRecordKey } from "@/kit/RecordPage";
import { useScope } from "@/kit/scope";
import { StatusBadge } from "@/kit/StatusBadge";
import { Button, ButtonLink } from "@/ui/Button";
import { Card, Fact, Facts } from "@/ui/Card";
import { Dialog } from "@/ui/Dialog";
import { items, KindLabel, Sources } from "./columns";
import { useGroups } from "./groups";
import { ImpactCard } from "./ImpactCard";
import { ItemEditor } from "./ItemEditor";
import { Neighborhood } from "./Neighborhood";
import { Relationships } from "./Relationships";
import { attributesKind, historyKind, itemStates, recordPath } from "./words";

export default function ItemRecord() {
  const { customerId, id } = useRecordKey();
  const scope = useScope();
  const up = { label: "Configuration", to: scope.to("/configuration") };
  const item = useRow(items.table, { where: rowKey(customerId, id) });
  const entered = useRow("configuration_items", { enabled: item.row?.origin === "entered", where: rowKey(customerId, id) });
  const groups = useGroups(item.row);
  // What is being removed is not asked about any more.
  const [isLeaving, setLeaving] = useState(false);
  return (
    <RecordPage result={item} one="item" up={up}>
      {(row) => {
        const record = recordPath(row.kind, row.origin, row.customer_id, row.id);
        const [history, attributes] = [historyKind(row.kind, row.origin), attributesKind(row.kind, row.origin)];
        return (
          <>
            <PageHeader
              title={row.name}
              up={up}
              badge={<StatusBadge of={itemStates} value={row.state} />}
              meta={
                <Dots>
                  {[
                    <KindLabel key="kind" kind={row.kind} />,
                    <Freshness key="fresh" source={row.origin === "entered" ? "Confirmed" : "Facts"} observedAt={row.observed_at} complete={row.is_complete} staleAt={row.stale_at} />,
                    <Link key="customer" to={paths.customer(row.customer_id)} className="hover:underline">{row.customer_name}</Link>,
                    row.kind === "service" || row.origin === "entered" ? null : row.detail,
                  ]}
                </Dots>
              }
              actions={
                <>
                  {record ? <ButtonLink to={scope.to(record)}>Open its page</ButtonLink> : null}
                  {entered.row ? <EnteredActions item={entered.row} setLeaving={setLeaving} /> : null}
                </>
              }
            />
            <TwoColumns
              main={
                <>
                  <Neighborhood item={row} groups={groups.groups} />
                  {groups.error ? <ErrorNotice error={groups.error} what="The relationships could not be read." retry={groups.refetch} /> : null}
                  <Relationships item={row} groups={groups.groups} pending={groups.isPending} />
                  {attributes ? <Provenance kind={attributes} customerId={row.customer_id} id={row.id} /> : null}
                </>
              }
              side={
                <>
                  <About row={row} entered={entered.row} />
                  {isLeaving ? null : <ImpactCard item={row} />}
                  {history ? <History kind={history} customerId={row.customer_id} id={row.id} /> : null}
                </>
              }
            />
          </>
        );
      }}
    </RecordPage>
  );
}

function About({ row, entered }: { row: ItemRow; entered: EnteredItemRow | null }) {
  return (
    <Card title="Item">
      <Facts>
        <Fact name="Kind"><KindLabel kind={row.kind} /></Fact>
        <Fact name="Known by"><Sources row={row} /></Fact>
        {row.origin === "entered" ? <Fact name="Entered by">{row.entered_by_name ?? (row.entered_by ? "somebody who left" : "hand")}</Fact> : null}
        <Fact name={row.origin === "entered" ? "Entered" : "Known here since"}><Ago at={row.created_at} /></Fact>
        <Fact name={row.origin === "entered" ? "Last confirmed" : "Last seen"}>{row.observed_at ? <Ago at={row.observed_at} /> : "never"}</Fact>
        {row.missing_since ? <Fact name="Gone from source"><Ago at={row.missing_since} /></Fact> : null}
      </Facts>
      {entered?.description ? <p className="border-t border-line px-3.5 py-2.5 whitespace-pre-wrap [overflow-wrap:anywhere]">{entered.description}</p> : null}
      {row.origin === "derived" ? (
        <p className="border-t border-line px-3.5 py-2.5 text-sm text-ink-2">Derived from what {row.sources.map(sourceName).join(" and ")} reported. It goes only when a complete reading lacks it.</p>
      ) : null}
    </Card>
  );
}

function EnteredActions({ item, setLeaving }: { item: EnteredItemRow; setLeaving: (isLeaving: boolean) => void }) {
  const { reason } = useCan();
  const navigate = useNavigate();
  const scope = useScope();
  const [open, setOpen] = useState<"edit" | "remove" | null>(null);
  const forbidden = reason("configuration:write", item.customer_id);
  const confirm = useAction({ act: () => confirmItem(item) });
  const remove = useAction({
    quietError: true,
    onDone: () => void navigate(scope.to("/configuration")),
    act: async () => {
      setLeaving(true);
      try {
        return await removeItem(item);
      } catch (error) {
        setLeaving(false);
        throw error;
      }
    },
  });
  return (
    <>
      <Button icon={<BadgeCheck aria-hidden className="size-3.5" />} busy={confirm.isBusy} reason={forbidden} onClick={() => confirm.run()}>
        Still so
      </Button>
      <Button icon={<Pencil aria-hidden className="size-3.5" />} reason={forbidden} onClick={() => setOpen("edit")}>
        Edit
      </Button>
      <Button variant="danger" icon={<Trash2 aria-hidden className="size-3.5" />} reason={forbidden} onClick={() => setOpen("remove")}>
        Remove…
      </Button>
      {open === "edit" ? <ItemEditor item={item} customerId={item.customer_id} onClose={() => setOpen(null)} /> : null}
      {open === "remove" ? (
        <Dialog
          open
          onOpenChange={(next) => !next && setOpen(null)}
          title={`Remove ${item.name}?`}
          description="The relationships that were entered for it go as well. The audit log and its history keep what it was."
          footer={
            <>
              <Button onClick={() => setOpen(null)}>Back</Button>
              <Button variant="danger" busy={remove.isBusy} onClick={() => remove.run()}>
                Remove
              </Button>
            </>
          }
        >
          {remove.error ? <ErrorNotice error={remove.error} what="The server refused." kept="Nothing was removed." /> : null}
        </Dialog>
      ) : null}
    </>
  );
}
