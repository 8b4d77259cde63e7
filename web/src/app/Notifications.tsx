import { useNotificationContext } from "ra-core";
import { useEffect } from "react";
import { toast, Toaster } from "sonner";
import { useIsDark } from "./theme";

const SUCCESS_MS = 5_000;
const ERROR_MS = 12_000;

/** Shows ra-core's notifications as toasts. */
export function Notifications() {
  const { notifications, takeNotification } = useNotificationContext();
  const dark = useIsDark();
  // Follows ra-core's queue, which is emptied one by one into sonner's own store.
  useEffect(() => {
    if (notifications.length === 0) return;
    const next = takeNotification();
    if (next === undefined) return;
    const show = next.type === "error" ? toast.error : next.type === "success" ? toast.success : next.type === "warning" ? toast.warning : toast.info;
    show(next.message, { duration: next.type === "error" ? ERROR_MS : SUCCESS_MS });
  }, [notifications, takeNotification]);
  return <Toaster position="bottom-right" theme={dark ? "dark" : "light"} closeButton containerAriaLabel="Messages" style={{ fontFamily: "inherit" }} toastOptions={{ className: "obera-toast" }} />;
}
