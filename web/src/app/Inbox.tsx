import { BellOff, CheckCheck } from "lucide-react";
import { useNavigate } from "react-router";
import { useRows } from "@/api/queries";
import { patchRow } from "@/api/rest";
import type { NotificationRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { Ago } from "@/kit/Ago";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { plural } from "@/kit/time";
import { Button } from "@/ui/Button";
import { Sheet } from "@/ui/Dialog";
import { safeNext } from "@/pages/sign-in/next";
import { EmptyState } from "@/ui/EmptyState";
import { SkeletonRows } from "@/ui/Skeleton";
import { cx } from "@/ui/cx";

const SHOWN_MAX = 50;

async function markRead(row: NotificationRow): Promise<void> {
  if (row.read_at === null) await patchRow("notifications", { user_id: row.user_id, id: row.id }, { read_at: new Date().toISOString() });
}

export default function Inbox({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const { rows, isPending, error, refetch } = useRows("notifications", { order: [{ column: "created_at", descending: true }], limit: SHOWN_MAX });
  const unread = rows.filter((row) => row.read_at === null);
  const readAll = useAction({
    act: async () => {
      for (const row of unread) await markRead(row);
      return `${plural(unread.length, "message")} marked as read.`;
    },
  });
  const open = (row: NotificationRow) => {
    void markRead(row).then(refetch);
    const path = row.link === null ? null : safeNext(row.link);
    if (path) {
      onClose();
      void navigate(path);
    }
  };
  return (
    <Sheet open onOpenChange={(next) => !next && onClose()} side="right" title="Notifications" showTitle>
      {unread.length > 0 ? (
        <div className="flex items-center border-b border-line px-4 py-2 text-sm text-ink-2">
          {unread.length} unread
          <Button size="sm" variant="ghost" className="-mr-2 ml-auto" icon={<CheckCheck aria-hidden className="size-3.5" />} busy={readAll.isBusy} onClick={() => readAll.run()}>
            Mark all as read
          </Button>
        </div>
      ) : null}
      {error ? <ErrorNotice error={error} what="Notifications could not be read." retry={refetch} /> : null}
      {isPending ? <SkeletonRows rows={6} /> : null}
      {!isPending && !error && rows.length === 0 ? (
        <EmptyState icon={BellOff} title="No messages">
          Approvals, escalations and outcomes that concern you arrive here.
        </EmptyState>
      ) : null}
      <ul>
        {rows.map((row) => (
          <li key={row.id} className="border-b border-line">
            <button type="button" onClick={() => open(row)} className="flex w-full gap-3 px-4 py-3 text-left hover:bg-hover">
              <i aria-hidden className={cx("mt-1.5 size-2 shrink-0 rounded-full", row.read_at === null ? "bg-accent" : "bg-transparent")} />
              <span className="min-w-0 flex-1">
                <span className={cx("block", row.read_at === null && "font-semibold")}>{row.title}</span>
                {row.body ? <span className="block text-ink-2">{row.body}</span> : null}
                <span className="block text-sm text-ink-3">
                  <Ago at={row.created_at} />
                  {row.read_at === null ? <span className="sr-only">, unread</span> : null}
                </span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </Sheet>
  );
}
