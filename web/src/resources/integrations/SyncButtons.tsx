import { RefreshCw } from "lucide-react";
import { startSync } from "@/api/actions";
import type { SourceListRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { useCan } from "@/kit/permissions";
import { Button } from "@/ui/Button";
import { isOpenSync } from "./sync";

export function SyncButtons({ source }: { source: Pick<SourceListRow, "id" | "enabled" | "last_state"> }) {
  const { reason } = useCan();
  const action = useAction({ act: (kind: "full" | "incremental") => startSync(source.id, kind) });
  const blocked =
    reason("integrations:sync") ??
    (source.enabled ? null : "This source is switched off.") ??
    (isOpenSync(source.last_state) ? "A synchronization is going on." : null);
  return (
    <>
      <Button
        variant="primary"
        icon={<RefreshCw aria-hidden className="size-3.5" />}
        title="Reads what changed since the last read."
        busy={action.isBusy}
        reason={blocked}
        onClick={() => action.run("incremental")}
      >
        Sync now
      </Button>
      <Button title="Reads everything again; finds what is gone." busy={action.isBusy} reason={blocked} onClick={() => action.run("full")}>
        Full sync
      </Button>
    </>
  );
}
