import { TriangleAlert } from "lucide-react";
import { readAlso } from "@/api/identity";
import { useRows } from "@/api/queries";
import { Card } from "@/ui/Card";
import { SkeletonRows } from "@/ui/Skeleton";
import { attributeName, sourceName, valueText } from "./changes";
import { ErrorNotice } from "./ErrorNotice";
import { Freshness } from "./Freshness";

const ATTRIBUTES_MAX = 60;

/** Which rule chose the value, where more than one source speaks. */
const RULES: Readonly<Record<string, string | undefined>> = {
  rmm_first: "NinjaOne first: its agent reads the machine itself",
  intune_first: "Intune's word",
  microsoft_first: "Microsoft's directory first, then CIPP, then SharePoint",
  line_first: "the line first, then its product; what is counted stands beside",
  entered: "entered by a person",
};
const PARTS: Readonly<Record<string, string | undefined>> = { sign_ins: "last sign-ins", roles: "administrator roles", registrations: "registered methods", mfa_states: "per-user MFA" };

interface ProvenanceProps {
  /** What provenance calls it: "person", "tenant". */
  kind: string;
  customerId: string;
  id: string;
}

/** Each attribute with who says it, when it was seen and whether that reading was whole; and what others say instead. */
export function Provenance({ kind, customerId, id }: ProvenanceProps) {
  const attributes = useRows("object_attributes", {
    where: [
      { column: "customer_id", op: "eq", value: customerId },
      { column: "object_id", op: "eq", value: id },
      { column: "kind", op: "eq", value: kind },
    ],
    order: [{ column: "attribute" }],
    limit: ATTRIBUTES_MAX,
  });
  const differing = attributes.rows.filter((row) => readAlso(row.also).length > 0).length;
  return (
    <Card title="What each fact rests on" aside={attributes.isPending || attributes.error ? "" : differing === 0 ? "sources agree" : `${differing} told differently`} className="overflow-hidden">
      {attributes.error ? <ErrorNotice error={attributes.error} what="The attributes could not be read." retry={attributes.refetch} /> : null}
      {attributes.isPending ? <SkeletonRows rows={5} /> : null}
      {!attributes.isPending && !attributes.error && attributes.rows.length === 0 ? <p className="px-3.5 py-4 text-ink-2">Nothing is known of it beyond its name.</p> : null}
      <dl>
        {attributes.rows.map((row) => (
          <div key={row.attribute} className="grid gap-x-4 gap-y-0.5 border-b border-line px-3.5 py-2 last:border-b-0 sm:grid-cols-[10rem_1fr_auto]">
            <dt className="text-ink-2">{kind === "item" ? row.attribute : attributeName(row.attribute)}</dt>
            <dd className="min-w-0 font-medium [overflow-wrap:anywhere]">
              {valueText(row.value, {})}
              {readAlso(row.also).map((other) => (
                <span key={other.recordId} className="block text-sm font-normal text-warn">
                  <TriangleAlert aria-hidden className="mr-1 inline size-3.5 align-[-2px]" />
                  {sourceName(other.source)} says {valueText(other.value, {})}
                </span>
              ))}
              {row.rule === "only_source" ? null : <span className="block text-sm font-normal text-ink-2">{RULES[row.rule] ?? row.rule}</span>}
            </dd>
            <dd className="text-sm sm:text-right">
              <Freshness
                source={`${sourceName(row.source)}${row.part && PARTS[row.part] ? `, ${PARTS[row.part]}` : ""}`}
                observedAt={row.observed_at}
                complete={row.is_complete}
                staleAt={row.stale_at}
              />
            </dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
