import type { ReactNode } from "react";
import type { ApiError } from "@/api/errors";
import type { CippTenantPartRow, TenantPartRow } from "@/api/rows";
import { Ago } from "@/kit/Ago";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { partStates, words } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { plural } from "@/kit/time";
import { Badge } from "@/ui/Badge";
import { Card } from "@/ui/Card";
import { SkeletonRows } from "@/ui/Skeleton";

type Part = Pick<TenantPartRow | CippTenantPartRow, "part" | "state" | "reason" | "permission" | "observed_at" | "row_count">;

interface Words {
  /** What each part is called. */
  names: Readonly<Record<string, string>>;
  /** A part that is denied though no right is missing. */
  shut: { label: string; title: string };
  /** How a missing right is given. */
  grant: (right: ReactNode) => ReactNode;
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.+$/, "")}.`;

/** What was read of a tenant, part by part; a missing right is named. */
export function Parts({ rows, pending, error = null, retry, of, children }: { rows: Part[]; pending: boolean; error?: ApiError | null; retry?: () => void; of: Words; children?: ReactNode }) {
  return (
    <Card title="What was read">
      {error && retry ? <ErrorNotice error={error} what="What was read is not known." retry={retry} /> : null}
      {pending ? <SkeletonRows rows={4} /> : null}
      <ul>
        {rows.map((part) => (
          <li key={part.part} className="border-b border-line px-3.5 py-2 last:border-b-0">
            <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
              <span className="min-w-0 flex-1 font-medium">{of.names[part.part] ?? words(part.part)}</span>
              {part.state === "denied" && part.permission === null ? <Badge title={of.shut.title}>{of.shut.label}</Badge> : <StatusBadge of={partStates} value={part.state} />}
            </div>
            <p className="text-sm text-ink-2">
              {part.observed_at ? <>last whole <Ago at={part.observed_at} />, {plural(part.row_count, "row")}</> : "never read whole"}
            </p>
            {part.reason ? (
              <p className="mt-1 text-sm text-warn [overflow-wrap:anywhere]">
                {sentence(part.reason)}
                {part.permission ? <> {of.grant(<span className="font-mono">{part.permission}</span>)}</> : null}
              </p>
            ) : null}
          </li>
        ))}
      </ul>
      {children}
    </Card>
  );
}
