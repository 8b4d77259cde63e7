import { Bell as BellIcon } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useCount } from "@/api/queries";
import { IconButton } from "@/ui/Button";

const Inbox = lazy(() => import("./Inbox"));

export function Bell() {
  const unread = useCount("notifications", { where: [{ column: "read_at", op: "is", value: null }] });
  const [open, setOpen] = useState(false);
  const label = unread ? `Notifications, ${unread} unread` : "Notifications";
  return (
    <>
      <IconButton label={label} aria-haspopup="dialog" className="relative" onClick={() => setOpen(true)}>
        <BellIcon aria-hidden className="size-4" />
        {unread ? (
          <span aria-hidden className="absolute top-0.5 right-0.5 grid h-3.5 min-w-3.5 place-items-center rounded-full bg-bad px-1 text-[9px] font-bold text-surface">
            {unread > 99 ? "99" : unread}
          </span>
        ) : null}
      </IconButton>
      {open ? (
        <Suspense>
          <Inbox onClose={() => setOpen(false)} />
        </Suspense>
      ) : null}
    </>
  );
}
