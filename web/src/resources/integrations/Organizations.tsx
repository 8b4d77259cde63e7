import { useState } from "react";
import { createCustomer, mapOrganization } from "@/api/actions";
import { useRows } from "@/api/queries";
import type { OrganizationRow, SuggestionRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { Freshness } from "@/kit/Freshness";
import { useCan } from "@/kit/permissions";
import { words } from "@/kit/status";
import { plural } from "@/kit/time";
import { Badge } from "@/ui/Badge";
import { Button } from "@/ui/Button";
import { Card } from "@/ui/Card";
import { Dialog } from "@/ui/Dialog";
import { SelectField, TextField } from "@/ui/Field";
import { SkeletonRows } from "@/ui/Skeleton";
import { Link2, TriangleAlert } from "lucide-react";
import { codeFor, slugFor } from "./sync";
import type { Vendor } from "@/kit/vendors";

const ORGANIZATIONS_MAX = 1_000;
const NEW = "new";

interface OrganizationsProps {
  integrationId: string;
  vendor: Vendor;
  /** The source's own, as the server says; accounts are renewed by every synchronization. */
  staleAfterMs: number;
}

export function Organizations({ integrationId, vendor, staleAfterMs }: OrganizationsProps) {
  const organizations = useRows("integration_organizations", {
    where: [{ column: "integration_id", op: "eq", value: integrationId }],
    order: [{ column: "mapped_at", descending: true }, { column: "name" }],
    limit: ORGANIZATIONS_MAX,
  });
  const customers = useRows("customer_list", { columns: "id,name,code", order: [{ column: "name" }], limit: ORGANIZATIONS_MAX });
  const suggestions = useRows("organization_suggestions", { where: [{ column: "integration_id", op: "eq", value: integrationId }], order: [{ column: "name" }], limit: ORGANIZATIONS_MAX });
  const suggested = (row: OrganizationRow) => suggestions.rows.find((each) => each.external_id === row.external_id) ?? null;
  const [chosen, setChosen] = useState<OrganizationRow | null>(null);
  const { reason } = useCan();
  const unmapped = organizations.rows.filter((row) => row.customer_id === null && row.missing_since === null);
  const mapped = organizations.rows.filter((row) => row.customer_id !== null || row.missing_since !== null);
  const nameOf = (id: string | null) => customers.rows.find((row) => row.id === id)?.name ?? "…";
  return (
    <Card
      title={`${words(vendor.account)}s`}
      aside={unmapped.length > 0 ? <Badge tone="warn" icon={TriangleAlert}>{unmapped.length} unmapped</Badge> : `${organizations.rows.length}, all mapped`}
    >
      {organizations.error ? <ErrorNotice error={organizations.error} what={`The ${vendor.account}s could not be read.`} retry={organizations.refetch} /> : null}
      {organizations.isPending ? <SkeletonRows rows={6} /> : null}
      {!organizations.isPending && organizations.rows.length === 0 && !organizations.error ? (
        <p className="px-3.5 py-4 text-ink-2">None is known yet. “Full sync” reads them.</p>
      ) : null}
      {unmapped.length > 0 ? (
        <p className="border-b border-line bg-warn-soft px-3.5 py-2 text-warn">
          What belongs to an unmapped {vendor.account} is kept out: nothing of it appears until somebody says whose it is.
        </p>
      ) : null}
      <ul>
        {[...unmapped, ...mapped].map((row) => (
          <li key={row.external_id} className="grid min-h-9 grid-cols-[minmax(0,1fr)_auto] items-center gap-x-3 gap-y-1 border-b border-line px-3.5 py-1.5 last:border-b-0 md:grid-cols-[minmax(0,1fr)_12rem_4.5rem_6rem]">
            <span className="min-w-0">
              <b className="font-medium">{row.name}</b>{" "}
              <span className="text-sm text-ink-2">{row.account_number ?? row.domain ?? (row.devices_seen > 0 ? `${plural(row.devices_seen, "device")} seen` : null)}</span>
              <Suggested of={suggested(row)} />
            </span>
            <span className="min-w-0 truncate text-ink-2 max-md:text-right">
              {row.missing_since ? <Badge>Gone from source</Badge> : row.customer_id ? nameOf(row.customer_id) : <Badge tone="warn" icon={TriangleAlert}>Unmapped</Badge>}
            </span>
            <Freshness brief observedAt={row.observed_at} staleAt={new Date(Date.parse(row.observed_at) + staleAfterMs).toISOString()} />
            <span className="text-right">
            <Button
              size="sm"
              variant={row.customer_id ? "ghost" : "default"}
              icon={<Link2 aria-hidden className="size-3.5" />}
              reason={reason("integrations:write")}
              aria-label={row.customer_id ? `Change the customer of ${row.name}` : `Map ${row.name} to a customer`}
              onClick={() => setChosen(row)}
            >
              {row.customer_id ? "Change" : "Map"}
            </Button>
            </span>
          </li>
        ))}
      </ul>
      {chosen ? <MapDialog row={chosen} vendor={vendor} suggestion={suggested(chosen)} customers={customers.rows} onClose={() => setChosen(null)} /> : null}
    </Card>
  );
}

/** A guess is shown with its reason; only a person's choice maps. */
function Suggested({ of }: { of: SuggestionRow | null }) {
  return of === null ? null : <span className="block text-sm text-info">Perhaps {of.customer_name}: it {of.reason}.</span>;
}

interface MapDialogProps {
  row: OrganizationRow;
  vendor: Vendor;
  suggestion: SuggestionRow | null;
  customers: { id: string; name: string; code: string }[];
  onClose: () => void;
}

function MapDialog({ row, vendor, suggestion, customers, onClose }: MapDialogProps) {
  const { reason } = useCan();
  const [customer, setCustomer] = useState(row.customer_id ?? suggestion?.customer_id ?? "");
  const [name, setName] = useState(row.name);
  const [code, setCode] = useState(codeFor(row.name));
  const noNew = reason("customers:write");
  const action = useAction({
    quietError: true,
    onDone: onClose,
    act: async () => {
      const target = customer === NEW ? await createCustomer({ name: name.trim(), code: code.trim(), slug: slugFor(name) }) : customer || null;
      await mapOrganization(row, target);
      if (target === null) return `${row.name} is unmapped. Its ${vendor.brings} are kept out from the next synchronization on.`;
      const whose = customer === NEW ? name : (customers.find((each) => each.id === customer)?.name ?? "the customer");
      return `${row.name} is ${whose}. The next synchronization brings its ${vendor.brings}.`;
    },
  });
  const incomplete = customer === NEW && (name.trim() === "" || !/^[A-Z0-9]{2,8}$/.test(code.trim()));
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Whose is “${row.name}”?`}
      description={
        <>
          Its {vendor.brings} become this customer's at the next synchronization. People of that customer will see them.
          <Suggested of={suggestion} />
        </>
      }
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            variant="primary"
            busy={action.isBusy}
            reason={incomplete ? "Give a name and a code of 2 to 8 letters or digits." : customer === (row.customer_id ?? "") ? "Nothing would change." : null}
            onClick={() => action.run()}
          >
            Save mapping
          </Button>
        </>
      }
    >
      <div className="grid gap-3 pb-2">
        <SelectField label="Customer" value={customer} onChange={(event) => setCustomer(event.target.value)}>
          <option value="">Nobody: keep it out</option>
          {noNew ? null : <option value={NEW}>New customer…</option>}
          {customers.map((each) => (
            <option key={each.id} value={each.id}>
              {each.name}
            </option>
          ))}
        </SelectField>
        {customer === NEW ? (
          <div className="grid grid-cols-[1fr_7rem] gap-3">
            <TextField label="Name" value={name} maxLength={200} onChange={(event) => setName(event.target.value)} />
            <TextField label="Code" value={code} maxLength={8} onChange={(event) => setCode(event.target.value.toUpperCase())} />
          </div>
        ) : null}
        {action.error ? <ErrorNotice error={action.error} what="The mapping was not saved." kept="Nothing was changed." /> : null}
      </div>
    </Dialog>
  );
}
