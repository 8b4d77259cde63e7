import { CircleX, RotateCw } from "lucide-react";
import type { ApiError } from "@/api/errors";
import { Button } from "@/ui/Button";

interface ErrorNoticeProps {
  error: ApiError;
  /** What was being done: "Devices could not be read". */
  what: string;
  /** What is still true: "The rows below are from 2 min ago", "Nothing was changed". */
  kept?: string;
  retry?: () => void;
}

/** What happened, what was kept, and the request id to give to whoever looks into it. */
export function ErrorNotice({ error, what, kept, retry }: ErrorNoticeProps) {
  return (
    <div role="alert" className="flex flex-wrap items-start gap-3 px-3.5 py-3">
      <CircleX aria-hidden className="mt-0.5 size-4 shrink-0 text-bad" />
      <div className="min-w-0 flex-1 basis-60">
        <p className="font-semibold">{what}</p>
        <p className="text-ink-2 break-words">
          {error.message}
          {error.details ? ` ${error.details}` : ""}
          {error.hint ? ` ${error.hint}` : ""}
        </p>
        {kept ? <p className="text-ink-2">{kept}</p> : null}
        <p className="mt-1 font-mono text-xs text-ink-3 break-all">
          {error.code}
          {error.requestId ? ` · request ${error.requestId}` : ""}
        </p>
      </div>
      {retry ? (
        <Button size="sm" icon={<RotateCw aria-hidden className="size-3.5" />} onClick={retry}>
          Try again
        </Button>
      ) : null}
    </div>
  );
}
