import { useRow } from "@/api/queries";
import type { DeviceListRow, FactPart } from "@/api/rows";
import type { Where } from "@/api/where";
import { Ago } from "@/kit/Ago";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { Freshness } from "@/kit/Freshness";
import { backupStates, guardStates, words } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { bytes } from "@/kit/time";
import { Card, Fact, Facts } from "@/ui/Card";
import { SkeletonRows } from "@/ui/Skeleton";
import { backupWords, patchWords, readProducts, threatWords, type FactNote } from "./facts";

interface HealthCardProps {
  where: Where[];
  row: DeviceListRow;
  notes: (part: FactPart) => FactNote;
}

/** What the RMM counts of the device; each group has the age of its own reading. */
export function HealthCard({ where, row, notes }: HealthCardProps) {
  const health = useRow("device_healths", { where, order: [{ column: "device_id" }] });
  const of = health.row;
  const products = readProducts(of?.antivirus_products);
  const [counted, guarded, patched, saved] = [notes("health"), notes("antivirus"), notes("patches"), notes("backups")];
  const missing = (note: FactNote) => <span className="text-ink-2">{note.says ?? "not told"}</span>;
  return (
    <Card title="Health" aside={<Freshness {...counted} />}>
      {health.error ? <ErrorNotice error={health.error} what="Its health could not be read." retry={health.refetch} /> : null}
      {health.isPending ? (
        <SkeletonRows rows={6} label="Loading health" />
      ) : (
        <Facts>
          <Fact name="Health">{of?.health_status ? words(of.health_status) : missing(counted)}</Fact>
          <Fact name="Threats">{(of && threatWords(of)) ?? missing(counted)}</Fact>
          <Fact name="Vulnerabilities">
            {of?.vulnerabilities_critical == null ? missing(counted) : `${of.vulnerabilities_critical} critical, ${of.vulnerabilities_high ?? 0} high`}
          </Fact>
          {of?.reboot_reason ? <Fact name="Reboot because of">{words(of.reboot_reason.toLowerCase())}</Fact> : null}
          <Fact name="Antivirus">
            <span className="inline-flex flex-wrap items-center justify-end gap-x-2 gap-y-1">
              {of?.antivirus ? <StatusBadge of={guardStates} value={of.antivirus} /> : missing(guarded)}
              <Freshness brief {...guarded} />
            </span>
          </Fact>
          {products.map((product) => (
            <Fact key={product.name} name={product.name}>
              {[product.state, product.definitions, product.version].filter(Boolean).join(" · ") || "not told"}
            </Fact>
          ))}
          <Fact name="Missing patches">{(of && patchWords(of)) ?? missing(patched)}</Fact>
          <Fact name="Backup">
            <span className="inline-flex flex-wrap items-center justify-end gap-x-2 gap-y-1">
              {row.backup_state ? <StatusBadge of={backupStates} value={row.backup_state} /> : backupWords(null, saved.says)}
              <Freshness brief {...saved} />
            </span>
          </Fact>
          {of?.has_backup ? (
            <>
              <Fact name="Last good backup"><Ago at={of.backup_last_success_at} /></Fact>
              {of.backup_last_failure_at ? <Fact name="Last failed backup"><Ago at={of.backup_last_failure_at} /></Fact> : null}
              <Fact name="Kept">
                {[of.backup_cloud_bytes === null ? null : `${bytes(of.backup_cloud_bytes)} in the cloud`, of.backup_local_bytes === null ? null : `${bytes(of.backup_local_bytes)} here`].filter(Boolean).join(", ") || "not told"}
              </Fact>
            </>
          ) : null}
        </Facts>
      )}
    </Card>
  );
}
