import { useState } from "react";
import { chooseTier } from "@/api/drift";
import { useRows } from "@/api/queries";
import type { DriftTenantRow } from "@/api/rows";
import { useAction } from "@/kit/action";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { SelectField } from "@/ui/Field";

const TIERS_MAX = 100;

/** Which tier a customer follows. */
export function TierDialog({ row, onClose }: { row: DriftTenantRow; onClose: () => void }) {
  const [tier, setTier] = useState(row.tier_id ?? "");
  const tiers = useRows("baseline_list", {
    where: [{ column: "kind", op: "eq", value: "tier" }, { column: "archived_at", op: "is", value: null }],
    order: [{ column: "name" }],
    limit: TIERS_MAX,
  });
  const save = useAction({ quietError: true, onDone: onClose, act: () => chooseTier(row.customer_id, row.tier_id, tier === "" ? null : tier) });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Tier of ${row.customer_name}`}
      description="What the tier demands replaces what the provider's baseline says of the same setting, for all tenants of this customer."
      footer={
        <>
          <Button onClick={onClose}>Back</Button>
          <Button variant="primary" busy={save.isBusy} onClick={() => save.run()}>
            Save
          </Button>
        </>
      }
    >
      <div className="grid gap-3 pb-2">
        <SelectField label="Tier" value={tier} onChange={(event) => setTier(event.target.value)} hint={tiers.error ? "The tiers could not be read." : undefined}>
          <option value="">No tier</option>
          {tiers.rows.map((each) => (
            <option key={each.id} value={each.id}>
              {each.name}
            </option>
          ))}
        </SelectField>
        {save.error ? <ErrorNotice error={save.error} what="The server refused." kept="Nothing was changed." /> : null}
      </div>
    </Dialog>
  );
}
