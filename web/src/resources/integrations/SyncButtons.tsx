import { RefreshCw } from "lucide-react";
import { startSync } from "@/api/actions";
import type { SourceListRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { vendorOf } from "@/kit/vendors";
import { Button } from "@/ui/Button";
import { useSyncBlocked } from "./sync";

export function SyncButtons({ source }: { source: Pick<SourceListRow, "id" | "vendor" | "enabled" | "last_state"> }) {
  const action = useAction({ act: (kind: "full" | "incremental") => startSync(source, kind) });
  const blocked = useSyncBlocked(source);
  const { saysChanges } = vendorOf(source.vendor);
  return (
    <>
      {saysChanges ? (
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
      ) : null}
      <Button
        variant={saysChanges ? "default" : "primary"}
        title="Reads everything again; finds what is gone."
        busy={action.isBusy}
        reason={blocked}
        onClick={() => action.run("full")}
      >
        Full sync
      </Button>
    </>
  );
}
