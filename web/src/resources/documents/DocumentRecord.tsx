import { Download, ExternalLink } from "lucide-react";
import { Link } from "react-router";
import { documentLink } from "@/api/files";
import { rowKey, useRow, useRows } from "@/api/queries";
import type { DocumentListRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { Ago } from "@/kit/Ago";
import { Freshness } from "@/kit/Freshness";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { useCan } from "@/kit/permissions";
import { RecordPage, TwoColumns, useRecordKey } from "@/kit/RecordPage";
import { RelatedTable } from "@/kit/RelatedTable";
import { useScope } from "@/kit/scope";
import { textStates } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { bytes } from "@/kit/time";
import { Badge } from "@/ui/Badge";
import { Button } from "@/ui/Button";
import { Card, Fact, Facts } from "@/ui/Card";
import { SkeletonRows } from "@/ui/Skeleton";
import { folderOf, KindIcon } from "./columns";
import { shares } from "./shares";

const SHARES_MAX = 50;

export default function DocumentRecord() {
  const { customerId, id } = useRecordKey();
  const scope = useScope();
  const up = { label: "Documents", to: scope.to("/documents") };
  const document = useRow("document_list", { where: rowKey(customerId, id) });
  const mine = [{ column: "document_id", op: "eq" as const, value: id }, ...(customerId ? [{ column: "customer_id", op: "eq" as const, value: customerId }] : [])];
  const shared = useRows("document_share_list", { where: [...mine, { column: "missing_since", op: "is", value: null }], order: [{ column: "risk" }, { column: "id" }], limit: SHARES_MAX });
  return (
    <RecordPage result={document} one="document" up={up}>
      {(row) => (
        <>
          <PageHeader
            title={row.name}
            up={up}
            badge={row.missing_since ? <Badge tone="mute" title="SharePoint says that it is deleted.">Deleted</Badge> : row.kind === "file" ? <StatusBadge of={textStates} value={row.text_state} /> : undefined}
            meta={
              <Dots>
                {[
                  <Freshness key="fresh" source="SharePoint" observedAt={row.observed_at} complete={row.is_complete} staleAt={row.stale_at} />,
                  <Link key="customer" to={paths.customer(row.customer_id)} className="hover:underline">{row.customer_name}</Link>,
                  <span key="place" className="[overflow-wrap:anywhere]">{row.site_name}: {folderOf(row.path)}</span>,
                ]}
              </Dots>
            }
            actions={<Actions row={row} />}
          />
          <TwoColumns
            main={
              <>
                {row.kind === "file" ? <Words row={row} /> : null}
                <RelatedTable resource={shares} title="Open to" result={shared} columns={["risk", "granted_to", "expires_at", "first_seen_at", "todo"]} none={row.site_reads === "inventory" ? "Sharing is not read of this site." : "Nobody but the site's own people."} />
              </>
            }
            side={<About row={row} />}
          />
        </>
      )}
    </RecordPage>
  );
}

function Actions({ row }: { row: DocumentListRow }) {
  const can = useCan();
  const download = useAction({
    act: async () => {
      if (row.object_name === null) return null;
      location.assign(await documentLink(row.object_name, row.name));
      return null;
    },
  });
  const reason = row.object_name === null ? "Its bytes are not kept here: choose Documents for its site." : can.reason("files:read", row.customer_id);
  return (
    <>
      {row.kind === "file" ? (
        <Button icon={<Download aria-hidden className="size-3.5" />} busy={download.isBusy} reason={reason} onClick={() => download.run()}>
          Download
        </Button>
      ) : null}
      {row.web_url ? (
        <a href={row.web_url} target="_blank" rel="noreferrer" className="inline-flex h-7 items-center gap-1.5 rounded-md border border-field-line bg-raised px-2.5 font-medium hover:bg-hover max-md:h-9">
          <ExternalLink aria-hidden className="size-3.5" />
          Open in SharePoint
        </a>
      ) : null}
    </>
  );
}

/** The words that a search looks into. */
function Words({ row }: { row: DocumentListRow }) {
  const text = useRow("document_texts", {
    columns: "customer_id,document_id,text,is_truncated,extracted_at",
    where: [{ column: "customer_id", op: "eq", value: row.customer_id }, { column: "document_id", op: "eq", value: row.id }],
    enabled: row.text_state === "extracted",
    every: false,
  });
  return (
    <Card title="Text" aside={text.row ? <span>read <Ago at={text.row.extracted_at} /></span> : ""}>
      {text.isPending ? <SkeletonRows rows={6} /> : null}
      {text.row ? (
        <div tabIndex={0} role="region" aria-label="Text of the document" className="max-h-96 overflow-y-auto px-3.5 py-3 [overflow-wrap:anywhere] whitespace-pre-wrap">
          {text.row.text === "" ? <span className="text-ink-2">There are no words in it.</span> : text.row.text}
          {text.row.is_truncated ? <p className="mt-3 text-sm text-warn">The text goes on; this is as much as is searched.</p> : null}
        </div>
      ) : text.isPending ? null : (
        <p className="px-3.5 py-4 text-ink-2">{row.text_reason ?? (row.site_reads === "documents" ? "It is read with the next synchronization." : "Files of this site are not read. Choose Documents for it under Sites.")}</p>
      )}
    </Card>
  );
}

function About({ row }: { row: DocumentListRow }) {
  return (
    <Card title="Document">
      <Facts>
        <Fact name="Kind"><KindIcon kind={row.kind} />{row.kind === "package" ? "notebook" : row.kind}</Fact>
        <Fact name="Size">{bytes(row.size_bytes)}</Fact>
        <Fact name="Changed">{row.modified_at ? <Ago at={row.modified_at} /> : "not known"}</Fact>
        <Fact name="By">{row.modified_by ?? "not known"}</Fact>
        <Fact name="Library">{row.drive_name}</Fact>
        <Fact name="Folder">{folderOf(row.path)}</Fact>
        <Fact name="SHA-256" mono>{row.sha256 ? `${row.sha256.slice(0, 16)}…` : "not downloaded"}</Fact>
      </Facts>
    </Card>
  );
}
