import type { ReactNode } from "react";
import { Link } from "react-router";
import type { ApiError } from "@/api/errors";
import { rowKey, useRow, useRows } from "@/api/queries";
import type { CippTenantListRow, TenantSettingChangeRow } from "@/api/rows";
import { Ago } from "@/kit/Ago";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { Freshness } from "@/kit/Freshness";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { RecordPage, TwoColumns, useRecordKey } from "@/kit/RecordPage";
import { RelatedTable } from "@/kit/RelatedTable";
import { useScope } from "@/kit/scope";
import { words } from "@/kit/status";
import { plural } from "@/kit/time";
import { Card, Fact, Facts } from "@/ui/Card";
import { SkeletonRows } from "@/ui/Skeleton";
import { EndsAt } from "../expiries/EndsAt";
import { Parts } from "../tenants/Parts";
import { CippReads, cippTenants, settingName, settingText, tenantSettings } from "./columns";

const READ = {
  names: { settings: "Settings", mail_domains: "Mail domains", forwardings: "Forwardings", alerts: "Alerts of CIPP's checks" },
  shut: { label: "Left alone", title: "CIPP leaves the tenant alone, or refuses it." },
  grant: (right: ReactNode) => <>Give the role of the API client in CIPP the right {right}.</>,
};
const SETTINGS_MAX = 500;
const CHANGES_SHOWN = 20;
const SETTING_COLUMNS = ["setting", "is_as_expected", "value", "expected", "changed_at"];

export default function CippTenantRecord() {
  const { customerId, id } = useRecordKey();
  const scope = useScope();
  const up = { label: "CIPP tenants", to: scope.to("/cipp-tenants") };
  const tenant = useRow(cippTenants.table, { where: rowKey(customerId, id) });
  const mine = [{ column: "cipp_tenant_id", op: "eq" as const, value: id }, ...(customerId ? [{ column: "customer_id", op: "eq" as const, value: customerId }] : [])];
  const settings = useRows(tenantSettings.table, {
    where: [...mine, { column: "missing_since", op: "is", value: null }],
    order: [{ column: "is_as_expected" }, { column: "setting" }, { column: "id" }],
    limit: SETTINGS_MAX,
  });
  const parts = useRows("cipp_tenant_parts", { where: mine, order: [{ column: "part" }] });
  const changes = useRows("tenant_setting_changes", { where: mine, order: [{ column: "seen_at", descending: true }, { column: "id" }], limit: CHANGES_SHOWN });
  return (
    <RecordPage result={tenant} one="tenant" up={up}>
      {(row) => (
        <>
          <PageHeader
            title={row.name}
            up={up}
            badge={<CippReads row={row} />}
            meta={
              <Dots>
                {[
                  <Freshness key="fresh" source="CIPP" observedAt={row.observed_at} complete={row.is_complete} staleAt={row.stale_at} />,
                  <Link key="customer" to={paths.customer(row.customer_id)} className="hover:underline">{row.customer_name}</Link>,
                  row.default_domain,
                  plural(row.settings, "setting"),
                ]}
              </Dots>
            }
          />
          <TwoColumns
            main={
              <>
                <RelatedTable resource={tenantSettings} title="Settings, unlike the template first" result={settings} columns={SETTING_COLUMNS} none="No setting of this tenant is known yet." />
                <Changes rows={changes.rows} pending={changes.isPending} error={changes.error} retry={changes.refetch} />
              </>
            }
            side={
              <>
                <Parts rows={parts.rows} pending={parts.isPending} error={parts.error} retry={parts.refetch} of={READ}>
                  <Mend row={row} />
                </Parts>
                <Card title="Access">
                  <Facts>
                    <Fact name="Ends"><EndsAt at={row.access_ends_at} renews={row.access_renews} /></Fact>
                    <Fact name="Kind">{row.access_kind === null ? "unknown" : words(row.access_kind.replaceAll(/([A-Z])/g, " $1").toLowerCase())}</Fact>
                    <Fact name="Tenant id" mono>{row.external_id}</Fact>
                  </Facts>
                </Card>
              </>
            }
          />
        </>
      )}
    </RecordPage>
  );
}

/** What a person does in CIPP where all of it is kept away. */
function Mend({ row }: { row: Pick<CippTenantListRow, "is_excluded" | "graph_error_count"> }) {
  if (row.is_excluded) return <p className="px-3.5 py-3 text-sm text-ink-2">In CIPP, under Settings, Tenants, take the exclusion back. What is known stays until then.</p>;
  if (row.graph_error_count > 0) {
    return <p className="px-3.5 py-3 text-sm text-ink-2">In CIPP, under Settings, Permissions, run the access check of this tenant. What is known stays until then.</p>;
  }
  return null;
}

function Changes({ rows, pending, error, retry }: { rows: TenantSettingChangeRow[]; pending: boolean; error: ApiError | null; retry: () => void }) {
  return (
    <Card title="Changes, newest first">
      {error ? <ErrorNotice error={error} what="The changes could not be read." retry={retry} /> : null}
      {pending ? <SkeletonRows rows={3} /> : null}
      {!pending && !error && rows.length === 0 ? <p className="px-3.5 py-4 text-ink-2">No setting has changed since it was first read.</p> : null}
      <ul>
        {rows.map((change) => (
          <li key={change.id} className="border-b border-line px-3.5 py-2 last:border-b-0">
            <div className="flex flex-wrap items-baseline gap-x-3">
              <span className="min-w-0 flex-1 font-medium [overflow-wrap:anywhere]">{settingName(change.setting)}</span>
              <span className="text-sm text-ink-2"><Ago at={change.seen_at} /></span>
            </div>
            <p className="text-sm text-ink-2 [overflow-wrap:anywhere]">
              {settingText(change.before)} <span aria-hidden>→</span><span className="sr-only">became</span> <b className="font-medium text-ink">{settingText(change.after)}</b>
            </p>
          </li>
        ))}
      </ul>
    </Card>
  );
}
