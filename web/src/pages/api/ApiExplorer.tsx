import { useQuery } from "@tanstack/react-query";
import { Braces, ExternalLink, Lock } from "lucide-react";
import { Link, useSearchParams } from "react-router";
import { toApiError } from "@/api/errors";
import { readDocument, type ApiDocument, type Operation, type Rate, type Tag } from "@/api/openapi";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { useCan } from "@/kit/permissions";
import { count, plural } from "@/kit/time";
import { useTitle } from "@/kit/title";
import { Badge } from "@/ui/Badge";
import { Card, Fact, Facts } from "@/ui/Card";
import { cx } from "@/ui/cx";
import { EmptyState } from "@/ui/EmptyState";
import { SkeletonRows } from "@/ui/Skeleton";
import { TryIt } from "./TryIt";

const TITLE = "API explorer";

export default function ApiExplorer() {
  const { can, isPending, isProvider } = useCan();
  const document = useQuery({ queryKey: ["openapi"], queryFn: readDocument, staleTime: Infinity });
  const [search] = useSearchParams();
  useTitle(TITLE);
  if (!isPending && !(isProvider && can("integrations:read"))) {
    return (
      <Card>
        <EmptyState icon={Lock} heading="h1" title="This page is for the provider's people">
          It needs the permission integrations:read. Ask an owner.
        </EmptyState>
      </Card>
    );
  }
  const operations = document.data?.operations ?? [];
  const shown = operations.find((operation) => operation.id === search.get("function")) ?? operations[0] ?? null;
  return (
    <>
      <PageHeader
        title={TITLE}
        meta={
          document.data ? (
            <Dots>
              {[
                plural(operations.length, "function"),
                `version ${document.data.version}`,
                <a key="document" href="/openapi.json" className="rounded-xs underline hover:text-ink">OpenAPI 3.1 document</a>,
              ]}
            </Dots>
          ) : "Reading…"
        }
      />
      {document.error ? (
        <Card>
          <ErrorNotice error={toApiError(document.error)} what="The document could not be read." retry={() => void document.refetch()} />
        </Card>
      ) : null}
      <div className="grid grid-cols-[minmax(0,1fr)] gap-4 xl:grid-cols-[19rem_minmax(0,1fr)]">
        {document.isPending ? (
          <Card title="Functions">
            <SkeletonRows rows={6} />
          </Card>
        ) : null}
        {document.data ? <Contents document={document.data} shown={shown} /> : null}
        {shown ? <OneOperation key={shown.id} operation={shown} /> : null}
      </div>
    </>
  );
}

/** What there is, by tag; tags without functions are other APIs, with a link to where they describe themselves. */
function Contents({ document, shown }: { document: ApiDocument; shown: Operation | null }) {
  const filled = document.tags.filter((tag) => document.operations.some((operation) => operation.tag === tag.name));
  const others = document.tags.filter((tag) => !filled.includes(tag));
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] content-start gap-4">
      {filled.map((tag) => (
        <Card key={tag.name} title={<span className="capitalize">{tag.name}</span>} aside={tag.description}>
          <ul>
            {document.operations.filter((operation) => operation.tag === tag.name).map((operation) => (
              <li key={operation.id} className="border-b border-line last:border-b-0">
                <Link
                  to={paths.apiFunction(operation.id)}
                  aria-current={operation.id === shown?.id ? "true" : undefined}
                  className={cx("grid gap-1 px-3.5 py-2 hover:bg-hover", operation.id === shown?.id && "bg-accent-soft")}
                >
                  <span className="font-mono text-sm font-semibold break-all">{operation.id}</span>
                  <span className="flex flex-wrap items-center gap-1.5 text-sm text-ink-2">
                    {operation.permissions.map((permission) => (
                      <Badge key={permission}>{permission}</Badge>
                    ))}
                    {operation.rateClass ? <span>{operation.rateClass}</span> : null}
                    {operation.timeoutMs ? <span>≤ {count(operation.timeoutMs / 1_000)} s</span> : null}
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        </Card>
      ))}
      {others.length > 0 ? (
        <Card title="Other APIs">
          <ul>
            {others.map((tag) => (
              <OtherApi key={tag.name} tag={tag} />
            ))}
          </ul>
        </Card>
      ) : null}
    </div>
  );
}

function OtherApi({ tag }: { tag: Tag }) {
  return (
    <li className="grid gap-0.5 border-b border-line px-3.5 py-2 last:border-b-0">
      <span className="font-mono text-sm font-semibold">/{tag.name}/v1</span>
      <span className="text-sm text-ink-2">{tag.description}</span>
      {tag.url ? (
        <span className="inline-flex items-center gap-1 font-mono text-xs text-ink-2">
          <ExternalLink aria-hidden className="size-3" />
          {tag.url}
        </span>
      ) : null}
    </li>
  );
}

const rateWords = (rate: Rate): string => `${count(rate.burst)} at once, ${count(rate.perMinute)} a minute`;

function OneOperation({ operation }: { operation: Operation }) {
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] content-start gap-4">
      <Card title={<span className="font-mono break-all">{operation.id}</span>} aside={<Badge tone="info" icon={Braces}>{operation.method}</Badge>}>
        <p className="border-b border-line px-3.5 py-3">{operation.summary}</p>
        <Facts>
          <Fact name="Path" mono>{operation.path}</Fact>
          <Fact name="Needs">{operation.permission ?? "the secret of the webhook"}</Fact>
          {operation.rateClass ? <Fact name="Rate class">{operation.rateClass}</Fact> : null}
          {operation.perUser ? <Fact name="Per person">{rateWords(operation.perUser)}</Fact> : null}
          {operation.perCustomer ? <Fact name="Per customer">{rateWords(operation.perCustomer)}</Fact> : null}
          {operation.timeoutMs ? <Fact name="Ends after">{count(operation.timeoutMs / 1_000)} s at the latest</Fact> : null}
          {operation.kept ? <Fact name="What a time-out leaves">{operation.kept}</Fact> : null}
          {operation.bodyBytesMax ? <Fact name="Largest body">{count(operation.bodyBytesMax / 1_024)} KiB</Fact> : null}
        </Facts>
      </Card>
      {operation.isOurs ? <TryIt operation={operation} /> : null}
      <Card title="Answers" aside="errors: code, message, details, hint">
        <ul>
          {operation.answers.map((answer) => (
            <li key={answer.status} className="flex gap-3 border-b border-line px-3.5 py-2 last:border-b-0">
              <span className="w-9 shrink-0 font-mono font-semibold tabular-nums">{answer.status}</span>
              <span className="text-ink-2">{answer.description}</span>
            </li>
          ))}
        </ul>
      </Card>
    </div>
  );
}
