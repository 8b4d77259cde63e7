import { HeartPulse } from "lucide-react";
import { readVolumes } from "@/api/plan";
import { CALM_MS, rowKey, useRow, useRows } from "@/api/queries";
import { Ago } from "@/kit/Ago";
import { Freshness } from "@/kit/Freshness";
import { History } from "@/kit/History";
import { Dots, PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { useCan } from "@/kit/permissions";
import { RecordPage, TwoColumns, useRecordKey } from "@/kit/RecordPage";
import { RelatedTable } from "@/kit/RelatedTable";
import { useScope } from "@/kit/scope";
import { changeStates, deviceClasses, severities } from "@/kit/status";
import { StatusBadge } from "@/kit/StatusBadge";
import { bytes } from "@/kit/time";
import { ButtonLink } from "@/ui/Button";
import { Card, Fact, Facts } from "@/ui/Card";
import { Meter } from "@/ui/charts";
import { EmptyState } from "@/ui/EmptyState";
import { SkeletonRows } from "@/ui/Skeleton";
import { Link } from "react-router";
import { incidents } from "../incidents/columns";
import { tickets } from "../tickets/columns";
import { HealthCard } from "./facts/HealthCard";
import { CustomFieldsCard, PatchesCard, SoftwareCard, VolumesCard } from "./facts/tables";
import { useFactNotes } from "./facts/useFactNotes";
import { MaintenanceAction, MaintenanceCard } from "./MaintenanceCard";
import { DeviceCondition, devices, DISK_BAD_PERCENT, DISK_WARN_PERCENT } from "./columns";

const SHOWN_ROWS = 10;
const OPEN_MS = 3_000;

export default function DeviceRecord() {
  const { customerId, id } = useRecordKey();
  const scope = useScope();
  const key = rowKey(customerId, id);
  const device = useRow(devices.table, {
    where: key,
    every: (rows) => (rows[0]?.maintenance_state === "starting" || rows[0]?.maintenance_state === "ending" ? OPEN_MS : CALM_MS),
  });
  const detail = useRow("devices", { where: key, columns: "customer_id,id,external_id,vendor_class,manufacturer,model,ip_addresses,volumes,raw,created_at" });
  const mine = [{ column: "device_id", op: "eq" as const, value: id }, ...(customerId ? [{ column: "customer_id", op: "eq" as const, value: customerId }] : [])];
  const conditions = useRows("device_conditions", { where: mine, order: [{ column: "raised_at", descending: true }], limit: 20 });
  const story = useRows(incidents.table, { where: mine, order: [{ column: "opened_at", descending: true }], limit: SHOWN_ROWS });
  const desk = useRows(tickets.table, { where: mine, order: [{ column: "opened_at", descending: true }], limit: SHOWN_ROWS });
  const fixes = useRows("changes", {
    columns: "customer_id,id,run_id,title,state,verdict,created_at",
    where: [{ column: "target_id", op: "eq", value: id }, ...(customerId ? [{ column: "customer_id", op: "eq" as const, value: customerId }] : [])],
    order: [{ column: "created_at", descending: true }],
    limit: SHOWN_ROWS,
  });
  const machine = useRows("endpoint_record_list", { columns: "customer_id,id,endpoint_id", where: [...mine, { column: "ended_at", op: "is", value: null }], limit: 1 }).rows[0];
  const volumes = readVolumes(detail.row?.volumes);
  const notes = useFactNotes(mine);
  const { isProvider } = useCan();
  return (
    <RecordPage result={device} one="device" up={{ label: "Devices", to: scope.to("/devices") }}>
      {(row) => (
        <>
          <PageHeader
            title={row.name}
            up={{ label: "Devices", to: scope.to("/devices") }}
            badge={<DeviceCondition row={row} />}
            meta={
              <Dots>
                {[
                  <Freshness key="fresh" source="NinjaOne" observedAt={row.observed_at} complete={row.is_complete} staleAt={row.stale_at} />,
                  <Link key="customer" to={paths.customer(row.customer_id)} className="hover:underline">{row.customer_name}</Link>,
                  row.site_name,
                  row.os_name,
                ]}
              </Dots>
            }
            actions={
              <>
                <MaintenanceAction row={row} />
                <ButtonLink to={scope.to("/tickets", { new: "1", device: row.id, for: row.customer_id })} variant="primary">
                  New ticket
                </ButtonLink>
              </>
            }
          />
          <TwoColumns
            main={
              <>
                <Card title="Conditions" aside={conditions.isPending ? "" : `${row.open_conditions} open`}>
                  {conditions.isPending ? (
                    <SkeletonRows rows={3} />
                  ) : conditions.rows.length === 0 ? (
                    <EmptyState icon={HeartPulse} title="Nothing is wrong">
                      The RMM has reported no condition for this device.
                    </EmptyState>
                  ) : (
                    <ul>
                      {conditions.rows.map((condition) => (
                        <li key={condition.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3.5 py-2 last:border-b-0">
                          <StatusBadge of={severities} value={condition.severity} />
                          <span className={condition.cleared_at ? "min-w-0 text-ink-2" : "min-w-0 font-medium"}>{condition.message}</span>
                          <span className="ml-auto text-sm text-ink-2">
                            {condition.cleared_at ? <>cleared <Ago at={condition.cleared_at} /></> : <>since <Ago at={condition.raised_at} /></>}
                          </span>
                        </li>
                      ))}
                    </ul>
                  )}
                </Card>
                <MaintenanceCard where={mine} row={row} raw={detail.row?.raw} />
                <PatchesCard where={mine} note={notes("patches")} />
                <SoftwareCard where={mine} note={notes("software")} />
                <VolumesCard where={mine} note={notes("volumes")} />
                {isProvider ? <CustomFieldsCard where={mine} note={notes("custom_fields")} /> : null}
                <RelatedTable resource={incidents} title="Incidents" result={story} columns={["title", "state", "run_state", "opened_at"]} none="No incident so far." />
                <RelatedTable resource={tickets} title="Tickets" result={desk} columns={["subject", "priority", "state", "opened_at"]} none="No ticket so far." />
                <History kind="device" customerId={row.customer_id} id={row.id} />
              </>
            }
            side={
              <>
                <Card title="Device">
                  <Facts>
                    <Fact name="Class">{deviceClasses[row.class]}</Fact>
                    <Fact name="Operating system">{row.os_name ?? "unknown"}</Fact>
                    <Fact name="Serial number" mono>{row.serial_number ?? "-"}</Fact>
                    <Fact name="Model">{[detail.row?.manufacturer, detail.row?.model].filter(Boolean).join(" ") || "-"}</Fact>
                    <Fact name="Addresses" mono>{detail.row?.ip_addresses.join(", ") || "-"}</Fact>
                    <Fact name="Last user">{row.last_user ?? "-"}</Fact>
                    <Fact name="Last contact"><Ago at={row.last_contact_at} /></Fact>
                    <Fact name="Site">{row.site_name ?? "-"}</Fact>
                    {machine ? (
                      <Fact name="Endpoint">
                        <Link to={scope.to(paths.endpoint(machine.customer_id, machine.endpoint_id))} className="font-medium hover:underline">what each source says</Link>
                      </Fact>
                    ) : null}
                    <Fact name="Id at NinjaOne" mono>{detail.row?.external_id ?? "…"}</Fact>
                  </Facts>
                </Card>
                <HealthCard where={mine} row={row} notes={notes} />
                <Card title="Disks" aside={<Freshness observedAt={row.observed_at} complete={row.is_complete} staleAt={row.stale_at} />}>
                  {detail.isPending ? (
                    <SkeletonRows rows={2} />
                  ) : volumes.length === 0 ? (
                    <p className="px-3.5 py-4 text-ink-2">The RMM reports no volumes for this device.</p>
                  ) : (
                    <Facts>
                      {volumes.map((volume) => {
                        const used = ((volume.capacityBytes - volume.freeBytes) / volume.capacityBytes) * 100;
                        return (
                          <Fact key={volume.name} name={volume.name}>
                            <Meter percent={used} tone={used >= DISK_BAD_PERCENT ? "bad" : used >= DISK_WARN_PERCENT ? "warn" : "accent"} className="mr-2" />
                            {used.toFixed(0)}% <span className="text-ink-2">· {bytes(volume.freeBytes)} free of {bytes(volume.capacityBytes)}</span>
                          </Fact>
                        );
                      })}
                    </Facts>
                  )}
                </Card>
                <Card title="Changes made here" aside={fixes.isPending ? "" : String(fixes.rows.length)}>
                  {fixes.isPending ? (
                    <SkeletonRows rows={2} />
                  ) : fixes.rows.length === 0 ? (
                    <p className="px-3.5 py-4 text-ink-2">OberaConnect has changed nothing on this device.</p>
                  ) : (
                    <ul>
                      {fixes.rows.map((change) => (
                        <li key={change.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3.5 py-2 last:border-b-0">
                          <StatusBadge of={changeStates} value={change.state} />
                          <Link to={scope.to(paths.run(change.customer_id, change.run_id))} className="min-w-0 font-medium hover:underline">
                            {change.title}
                          </Link>
                          <span className="ml-auto text-sm text-ink-2"><Ago at={change.created_at} /></span>
                        </li>
                      ))}
                    </ul>
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
