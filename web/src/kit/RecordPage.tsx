import { FileQuestion } from "lucide-react";
import type { ReactNode } from "react";
import { useParams } from "react-router";
import type { RowResult } from "@/api/queries";
import { ButtonLink } from "@/ui/Button";
import { EmptyState } from "@/ui/EmptyState";
import { Skeleton, SkeletonRows } from "@/ui/Skeleton";
import { ErrorNotice } from "./ErrorNotice";
import { useTitle } from "./title";

/** The key of the record in the URL; the customer may be missing in links that came from outside. */
export function useRecordKey(): { customerId: string | null; id: string } {
  const { customerId, id } = useParams();
  return { customerId: customerId ?? null, id: id ?? "" };
}

interface RecordPageProps<Row> {
  result: RowResult<Row>;
  /** "device", "run". */
  one: string;
  up: { label: string; to: string };
  children: (row: Row) => ReactNode;
}

/** A record's page: skeleton, error, "not found" and content in one frame. */
export function RecordPage<Row>({ result, one, up, children }: RecordPageProps<Row>) {
  // A record that is there names the tab itself.
  useTitle(result.row !== null ? null : result.isPending || result.error ? up.label : `No such ${one}`);
  if (result.row !== null) {
    return (
      <>
        {result.error ? (
          <div className="rounded-lg border border-line bg-surface">
            <ErrorNotice error={result.error} what={`This ${one} could not be read again.`} kept="What you see is from the last good read." retry={result.refetch} />
          </div>
        ) : null}
        {children(result.row)}
      </>
    );
  }
  if (result.isPending) return <RecordSkeleton one={one} />;
  return (
    <div className="rounded-lg border border-line bg-surface shadow-1">
      {result.error ? (
        <ErrorNotice error={result.error} what={`This ${one} could not be read.`} retry={result.refetch} />
      ) : (
        <EmptyState icon={FileQuestion} heading="h1" title={`No such ${one}`} action={<ButtonLink to={up.to}>Back to {up.label.toLowerCase()}</ButtonLink>}>
          It does not exist, or it belongs to a customer you may not see.
        </EmptyState>
      )}
    </div>
  );
}

function RecordSkeleton({ one }: { one: string }) {
  return (
    <>
      <div className="grid gap-2">
        <Skeleton className="h-3 w-20" />
        <Skeleton className="h-5 w-72 max-w-full" />
        <Skeleton className="h-3 w-56" />
      </div>
      <TwoColumns
        main={
          <div className="rounded-lg border border-line bg-surface">
            <SkeletonRows rows={9} label={`Loading the ${one}`} />
          </div>
        }
        side={
          <>
            <div className="rounded-lg border border-line bg-surface">
              <SkeletonRows rows={4} />
            </div>
            <div className="rounded-lg border border-line bg-surface">
              <SkeletonRows rows={4} />
            </div>
          </>
        }
      />
    </>
  );
}

export function TwoColumns({ main, side }: { main: ReactNode; side: ReactNode }) {
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-4 xl:grid-cols-[minmax(0,1.55fr)_minmax(0,1fr)]">
      <div className="grid grid-cols-[minmax(0,1fr)] content-start gap-4">{main}</div>
      <div className="grid grid-cols-[minmax(0,1fr)] content-start gap-4">{side}</div>
    </div>
  );
}
