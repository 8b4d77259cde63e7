import { MapPin } from "lucide-react";
import { Link } from "react-router";
import { rowKey, useRow, useRows } from "@/api/queries";
import { Ago } from "@/kit/Ago";
import { Freshness } from "@/kit/Freshness";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { useCan } from "@/kit/permissions";
import { RecordPage, TwoColumns, useRecordKey } from "@/kit/RecordPage";
import { RelatedTable } from "@/kit/RelatedTable";
import { RelationshipsLink } from "@/kit/RelationshipsLink";
import { scopedPath } from "@/kit/scope";
import { endpointCoverage } from "@/kit/status";
import { count, plural } from "@/kit/time";
import { ButtonLink } from "@/ui/Button";
import { Card, Fact, Facts } from "@/ui/Card";
import { SkeletonRows } from "@/ui/Skeleton";
import { devices } from "../devices/columns";
import { differences } from "../differences/columns";
import { incidents } from "../incidents/columns";
import { tenants } from "../tenants/columns";
import { tickets } from "../tickets/columns";
import { customers } from "./columns";

const SHOWN_ROWS = 8;

export default function CustomerRecord() {
  const { id } = useRecordKey();
  const customer = useRow(customers.table, { where: rowKey(null, id) });
  const mine = { column: "customer_id", op: "eq" as const, value: id };
  const sites = useRows("site_list", { where: [mine], order: [{ column: "name" }], limit: 200 });
  const worst = useRows(devices.table, {
    where: [mine, { column: "missing_since", op: "is", value: null }],
    order: [{ column: "needs_attention", descending: true }, { column: "disk_used_percent", descending: true }, { column: "id" }],
    limit: SHOWN_ROWS,
  });
  const open = useRows(incidents.table, {
    where: [mine, { column: "state", op: "neq", value: "resolved" }],
    order: [{ column: "opened_at", descending: true }],
    limit: SHOWN_ROWS,
  });
  const desk = useRows(tickets.table, {
    where: [mine, { column: "state", op: "neq", value: "closed" }],
    order: [{ column: "opened_at", descending: true }],
    limit: SHOWN_ROWS,
  });
  const { can, isProvider } = useCan();
  const seesPeople = isProvider && can("people:read");
  const seesMoney = isProvider && can("billing:read");
  const unbilled = useRows(differences.table, {
    enabled: seesMoney,
    where: [mine, ...differences.where],
    order: [{ column: "money_per_month", descending: true }, { column: "id" }],
    limit: SHOWN_ROWS,
    count: true,
  });
  return (
    <RecordPage result={customer} one="customer" up={{ label: "Customers", to: "/customers" }}>
      {(row) => (
        <>
          <PageHeader
            title={row.name}
            up={{ label: "Customers", to: "/customers" }}
            meta={
              <Dots>
                {[
                  <span key="code" className="font-mono">{row.code}</span>,
                  plural(row.devices, "device"),
                  <span key="since">customer since <Ago at={row.created_at} /></span>,
                ]}
              </Dots>
            }
            actions={
              <>
                <RelationshipsLink customerId={id} id={id} />
                <ButtonLink to={scopedPath("/", id)}>Look at only this customer</ButtonLink>
                <ButtonLink to={scopedPath("/tickets", id, { new: "1" })} variant="primary">
                  New ticket
                </ButtonLink>
              </>
            }
          />
          <TwoColumns
            main={
              <>
                <RelatedTable
                  resource={devices}
                  title="Devices"
                  result={worst}
                  columns={["name", "condition_message", "disk_used_percent", "observed_at"]}
                  aside={<More to={scopedPath("/devices", id)} all={row.devices} shown={worst.rows.length} />}
                  none="No device is known. Map this customer's organization under Integrations, then synchronize."
                />
                <RelatedTable
                  resource={tickets}
                  title="Open tickets"
                  result={desk}
                  columns={["subject", "priority", "state", "opened_at"]}
                  aside={<More to={scopedPath("/tickets", id)} all={row.tickets_open} shown={desk.rows.length} />}
                  none="No open ticket."
                />
              </>
            }
            side={
              <>
                <RelatedTable
                  resource={incidents}
                  title="Open incidents"
                  result={open}
                  columns={["title", "state", "opened_at"]}
                  aside={<More to={scopedPath("/incidents", id)} all={row.incidents_open} shown={open.rows.length} />}
                  none="No open incident."
                />
                {seesMoney ? (
                  <RelatedTable
                    resource={differences}
                    title="Billing differences"
                    result={unbilled}
                    columns={["product_name", "direction", "money_per_month", "state"]}
                    aside={<More to={scopedPath("/differences", id)} all={unbilled.total} shown={unbilled.rows.length} />}
                    none="What is counted is what is billed."
                  />
                ) : null}
                {isProvider && can("devices:read") ? <CoverageCard customerId={id} /> : null}
                {seesPeople ? <Microsoft customerId={id} /> : null}
                <Card title="Sites" aside={sites.isPending ? "" : count(sites.rows.length)}>
                  {sites.isPending ? (
                    <SkeletonRows rows={3} />
                  ) : sites.rows.length === 0 ? (
                    <p className="px-3.5 py-4 text-ink-2">No site is known. Sites come from the RMM's locations.</p>
                  ) : (
                    <Facts>
                      {sites.rows.map((site) => (
                        <Fact key={site.id} name={site.name}>
                          {site.observed_at ? <Freshness observedAt={site.observed_at} staleAt={site.stale_at} /> : <MapPin aria-label="entered by hand" className="inline size-3.5 text-ink-3" />}
                        </Fact>
                      ))}
                    </Facts>
                  )}
                </Card>
              </>
            }
          />
        </>
      )}
    </RecordPage>
  );
}

function More({ to, all, shown }: { to: string; all: number; shown: number }) {
  return (
    <ButtonLink to={to} size="sm" variant="ghost" className="-mr-1.5">
      {all > shown ? `All ${count(all)}` : "Open list"}
    </ButtonLink>
  );
}

/** Who knows the customer's machines, in words where something is to be done. */
function CoverageCard({ customerId }: { customerId: string }) {
  const sums = useRow("endpoint_overview", { where: [{ column: "customer_id", op: "eq", value: customerId }] });
  const row = sums.row;
  return (
    <Card
      title="Endpoints"
      aside={
        <ButtonLink to={scopedPath("/endpoints", customerId)} size="sm" variant="ghost" className="-mr-1.5">
          {row ? `All ${count(row.endpoints)}` : "Open list"}
        </ButtonLink>
      }
    >
      {sums.isPending ? <SkeletonRows rows={3} /> : null}
      {!sums.isPending && row === null ? <p className="px-3.5 py-4 text-ink-2">No machine is known. They come from the RMM and from Intune.</p> : null}
      {row ? (
        <>
          <Facts>
            {(["covered", "rmm_only", "mdm_only", "stale"] as const).map((coverage) => (
              <Fact key={coverage} name={endpointCoverage[coverage].label}>
                <span className="tabular-nums">{count(row[coverage])}</span>
              </Fact>
            ))}
          </Facts>
          <p className="border-t border-line px-3.5 py-2.5 text-sm text-ink-2">
            {row.mdm_only === 0
              ? "Every machine that is enrolled in Intune also has the RMM's agent."
              : `${plural(row.mdm_only, "machine is", "machines are")} enrolled in Intune without the RMM's agent: nobody patches or watches ${row.mdm_only === 1 ? "it" : "them"}.`}
          </p>
        </>
      ) : null}
    </Card>
  );
}

/** The customer's Microsoft 365: people, and who gets in with a password alone. */
function Microsoft({ customerId }: { customerId: string }) {
  const tenant = useRows(tenants.table, { where: [{ column: "customer_id", op: "eq", value: customerId }], order: [{ column: "name" }], limit: SHOWN_ROWS });
  return <RelatedTable resource={tenants} title="Microsoft 365" result={tenant} columns={["name", "parts_complete", "people", "mfa_gap"]} aside={<><Link to={scopedPath("/sign-ins", customerId)} className="hover:underline">Sign-ins</Link> · <Link to={scopedPath("/directory-changes", customerId)} className="hover:underline">Changes</Link></>} none="No tenant is mapped to this customer." />;
}
