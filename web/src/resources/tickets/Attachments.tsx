import { Download, Paperclip } from "lucide-react";
import { useRef } from "react";
import { ATTACHMENT_BYTES_MAX, attachFile, attachmentContent } from "@/api/files";
import { useRows } from "@/api/queries";
import type { AttachmentRow, TicketListRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { Ago } from "@/kit/Ago";
import { saveBlob } from "@/kit/csv";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { usePeople } from "@/kit/people";
import { useCan } from "@/kit/permissions";
import { bytes } from "@/kit/time";
import { Button } from "@/ui/Button";
import { Card } from "@/ui/Card";
import { SkeletonRows } from "@/ui/Skeleton";

const ATTACHMENTS_MAX = 200;
const REFRESH_MS = 15_000;

export function Attachments({ row }: { row: TicketListRow }) {
  const files = useRows("ticket_attachment_list", {
    where: [
      { column: "customer_id", op: "eq", value: row.customer_id },
      { column: "ticket_id", op: "eq", value: row.id },
    ],
    order: [{ column: "added_at" }, { column: "id" }],
    limit: ATTACHMENTS_MAX,
    every: REFRESH_MS,
  });
  return (
    <Card title="Attachments" aside={files.isPending ? "" : files.rows.length === 1 ? "1 file" : `${files.rows.length} files`}>
      {files.error ? <ErrorNotice error={files.error} what="The attachments could not be read." retry={files.refetch} /> : null}
      {files.isPending ? (
        <SkeletonRows rows={1} />
      ) : files.rows.length > 0 ? (
        <ul aria-label="Attached files" className="divide-y divide-line border-b border-line">
          {files.rows.map((file) => (
            <Attachment key={file.id} file={file} />
          ))}
        </ul>
      ) : null}
      <AttachFile row={row} />
    </Card>
  );
}

function Attachment({ file }: { file: AttachmentRow }) {
  const { nameOf } = usePeople();
  const { reason } = useCan();
  const download = useAction({
    act: async () => {
      saveBlob(file.file_name, await attachmentContent(file));
      return `Downloaded ${file.file_name}.`;
    },
  });
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1.5 px-3.5 py-2.5">
      <Paperclip aria-hidden className="size-3.5 shrink-0 text-ink-3" />
      <div className="min-w-0 flex-1">
        <p className="font-medium [overflow-wrap:anywhere]">{file.file_name}</p>
        <p className="text-sm text-ink-2">
          {bytes(file.size_bytes)} · {nameOf(file.added_by) ?? "OberaConnect"} · <Ago at={file.added_at} />
        </p>
      </div>
      <Button
        size="sm"
        icon={<Download aria-hidden className="size-3.5" />}
        busy={download.isBusy}
        reason={reason("files:read", file.customer_id)}
        aria-label={`Download ${file.file_name}`}
        onClick={() => download.run()}
      >
        Download
      </Button>
    </li>
  );
}

function AttachFile({ row }: { row: TicketListRow }) {
  const { reason } = useCan();
  const input = useRef<HTMLInputElement>(null);
  const attach = useAction({
    act: async (file: File) => {
      if (file.size > ATTACHMENT_BYTES_MAX) throw new Error(`${file.name} is larger than ${bytes(ATTACHMENT_BYTES_MAX)}. Nothing was sent.`);
      return attachFile(row.customer_id, row.id, file);
    },
  });
  const blocked = reason("files:write", row.customer_id) ?? reason("tickets:write", row.customer_id);
  return (
    <div className="flex flex-wrap items-center gap-3 px-3.5 py-3">
      <input
        ref={input}
        type="file"
        aria-label="File to attach"
        className="hidden"
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = "";
          if (file && !blocked) attach.run(file);
        }}
      />
      <p className="text-sm text-ink-2">Up to {bytes(ATTACHMENT_BYTES_MAX)}. The customer&apos;s people see attachments.</p>
      <span className="ml-auto">
        <Button icon={<Paperclip aria-hidden className="size-3.5" />} busy={attach.isBusy} reason={blocked} onClick={() => input.current?.click()}>
          Attach file
        </Button>
      </span>
    </div>
  );
}
