import { TriangleAlert } from "lucide-react";
import { Link } from "react-router";
import { readAlso, sourceNames } from "@/api/identity";
import type { EndpointAttributeRow, EndpointRecordRow } from "@/api/rows";
import { Ago } from "@/kit/Ago";
import { Freshness } from "@/kit/Freshness";
import { paths } from "@/kit/paths";
import { useScope } from "@/kit/scope";
import { words } from "@/kit/status";
import { Card } from "@/ui/Card";
import { cx } from "@/ui/cx";
import { SkeletonRows } from "@/ui/Skeleton";

type Told = Pick<EndpointRecordRow, "name" | "serial_number" | "os_name" | "os_version" | "manufacturer" | "model" | "site_name" | "user_principal_name" | "last_user" | "compliance" | "is_encrypted" | "owner_kind" | "enrolled_at" | "last_seen_at">;

const yes = (value: boolean | null) => (value === null ? null : value ? "yes" : "no");

/** Attribute of the database, its name, and what a record says of it. */
const LINES: readonly (readonly [string, string, (row: Told) => string | null])[] = [
  ["name", "Name", (row) => row.name],
  ["serial_number", "Serial number", (row) => row.serial_number],
  ["operating_system", "Operating system", (row) => row.os_name],
  ["os_version", "Version", (row) => row.os_version],
  ["manufacturer", "Manufacturer", (row) => row.manufacturer],
  ["model", "Model", (row) => row.model],
  ["person", "Person", (row) => row.user_principal_name],
  ["last_user", "Last user (a hint)", (row) => row.last_user],
  ["compliance", "Compliance", (row) => (row.compliance ? words(row.compliance).toLowerCase() : null)],
  ["encrypted", "Encrypted", (row) => yes(row.is_encrypted)],
  ["owner", "Owned by", (row) => row.owner_kind],
  ["site", "Site", (row) => row.site_name],
];

interface SideBySideProps {
  records: readonly EndpointRecordRow[];
  attributes: readonly EndpointAttributeRow[];
  pending: boolean;
}

/** What each source says, one column each. Bold is what counts; what disagrees with it is marked. */
export function SideBySide({ records, attributes, pending }: SideBySideProps) {
  const scope = useScope();
  const of = new Map(attributes.map((row) => [row.attribute, row]));
  const lines = LINES.filter(([, , read]) => records.some((row) => read(row)));
  return (
    <Card title="What each source says" aside={pending ? "" : "bold counts"} className="overflow-hidden">
      {pending ? (
        <SkeletonRows rows={6} />
      ) : (
        <div className="overflow-x-auto" role="region" aria-label="What each source says" tabIndex={0}>
          <table className="w-full text-left">
            <thead>
              <tr className="border-b border-line align-bottom">
                <th scope="col" className="px-3.5 py-2 font-medium text-ink-2">Attribute</th>
                {records.map((row) => (
                  <th key={row.id} scope="col" className="min-w-44 px-3.5 py-2 font-medium">
                    {row.device_id ? (
                      <Link to={scope.to(paths.device(row.customer_id, row.device_id))} className="hover:underline">{sourceNames[row.source]}</Link>
                    ) : (
                      sourceNames[row.source]
                    )}
                    <span className="block font-normal">
                      <Freshness observedAt={row.observed_at} complete={row.is_complete} staleAt={row.stale_at} />
                    </span>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {lines.map(([attribute, label, read]) => (
                <tr key={attribute} className="border-b border-line align-top last:border-b-0">
                  <th scope="row" className="px-3.5 py-1.5 font-normal whitespace-nowrap text-ink-2">{label}</th>
                  {records.map((row) => (
                    <Cell key={row.id} value={read(row)} row={row} counts={of.get(attribute)} />
                  ))}
                </tr>
              ))}
              <tr className="align-top">
                <th scope="row" className="px-3.5 py-1.5 font-normal whitespace-nowrap text-ink-2">Last seen</th>
                {records.map((row) => (
                  <td key={row.id} className="px-3.5 py-1.5">{row.last_seen_at ? <Ago at={row.last_seen_at} /> : <span className="text-ink-2">never</span>}</td>
                ))}
              </tr>
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

function Cell({ value, row, counts }: { value: string | null; row: EndpointRecordRow; counts: EndpointAttributeRow | undefined }) {
  if (value === null) return <td className="px-3.5 py-1.5 text-ink-3">-</td>;
  const isCounted = counts?.record_id === row.record_id;
  const differs = readAlso(counts?.also).some((other) => other.recordId === row.record_id);
  return (
    <td className={cx("px-3.5 py-1.5 [overflow-wrap:anywhere]", isCounted && "font-medium", differs && "text-warn")}>
      {value}
      {differs ? <TriangleAlert role="img" aria-label="differs" className="ml-1.5 inline size-3.5 align-[-2px]" /> : null}
    </td>
  );
}
