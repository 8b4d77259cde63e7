import { useState } from "react";
import { previewRule, saveRule, type Effect, type RuleDraft } from "@/api/money";
import { useRows } from "@/api/queries";
import type { CountRuleRow, DeviceClass } from "@/api/rows";
import { useAction } from "@/kit/action";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { money, quantity } from "@/kit/money";
import { deviceClasses, seatBases, seatBasisWords } from "@/kit/status";
import { count, plural } from "@/kit/time";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { CheckField, SelectField, TextField } from "@/ui/Field";

const PRODUCTS_MAX = 1_000;
const EFFECT_ROWS_SHOWN = 8;
const SKUS_MAX = 1_000;
const CLASSES = Object.keys(deviceClasses).filter((each): each is DeviceClass => each in deviceClasses);

function draftOf(rule: CountRuleRow | null): RuleDraft {
  if (rule === null) {
    return { name: "", billing_product_id: "", counts: "devices", device_classes: [], approved_only: true, sku_ids: [], seat_basis: null, multiplier: "1", enabled: true };
  }
  const { name, billing_product_id, counts, device_classes, approved_only, sku_ids, seat_basis, multiplier, enabled } = rule;
  return { name, billing_product_id, counts, device_classes, approved_only, sku_ids, seat_basis, multiplier: String(multiplier), enabled };
}

/** What the server would compute from; a change here makes a shown effect the effect of something else. */
function counted(draft: RuleDraft): string {
  const what = draft.counts === "devices" ? [[...draft.device_classes].sort(), draft.approved_only] : [[...draft.sku_ids].sort(), draft.seat_basis];
  return JSON.stringify([draft.billing_product_id, draft.counts, what, draft.multiplier.trim()]);
}

function wrong(draft: RuleDraft): string | null {
  if (draft.name.trim() === "") return "Give the rule a name.";
  if (draft.billing_product_id === "") return "Choose the product.";
  if (draft.counts === "devices" ? draft.device_classes.length === 0 : draft.sku_ids.length === 0) return "Choose what is counted.";
  const times = Number(draft.multiplier);
  return Number.isFinite(times) && times > 0 && times <= 1_000 ? null : "“Times” is a number above 0 and up to 1,000.";
}

/** Edits a rule. It can be saved only after its effect was seen. */
export function RuleEditor({ rule, onClose }: { rule: CountRuleRow | null; onClose: () => void }) {
  const [draft, setDraft] = useState(() => draftOf(rule));
  const [seen, setSeen] = useState<{ of: string; effect: Effect } | null>(null);
  const products = useRows("billing_products", {
    columns: "id,name,code,rate,currency,is_active",
    where: [{ column: "missing_since", op: "is", value: null }],
    order: [{ column: "name" }],
    limit: PRODUCTS_MAX,
  });
  const change = (next: Partial<RuleDraft>) => setDraft((current) => ({ ...current, ...next }));
  const preview = useAction({
    quietError: true,
    act: async () => {
      const effect = await previewRule(draft);
      setSeen({ of: counted(draft), effect });
      return `${plural(effect.differences, "difference")} at ${plural(effect.customers, "customer")}.`;
    },
  });
  const save = useAction({ quietError: true, onDone: onClose, act: () => saveRule(draft, rule?.id ?? null) });
  const problem = wrong(draft);
  // Switching a rule off or renaming it counts nothing anew.
  const isSame = rule !== null && counted(draft) === counted(draftOf(rule));
  const isSeen = seen !== null && seen.of === counted(draft);
  const error = save.error ?? preview.error;
  return (
    <Dialog
      open
      wide
      onOpenChange={(open) => !open && onClose()}
      title={rule === null ? "New count rule" : rule.name}
      description="Which devices or seats a product stands for. One of the product is billed for each that is counted."
      footer={
        <>
          <Button busy={preview.isBusy} reason={problem} onClick={() => preview.run()}>
            Show the effect
          </Button>
          <Button variant="primary" busy={save.isBusy} reason={problem ?? (isSeen || isSame ? null : "See its effect first.")} onClick={() => save.run()}>
            Save
          </Button>
        </>
      }
    >
      <div className="grid gap-3 pb-2">
        <TextField label="Name" value={draft.name} maxLength={200} onChange={(event) => change({ name: event.target.value })} />
        <div className="grid gap-3 sm:grid-cols-[1fr_6rem]">
          <SelectField label="Product" value={draft.billing_product_id} onChange={(event) => change({ billing_product_id: event.target.value })} hint={products.error ? "The products could not be read." : undefined}>
            <option value="">Choose…</option>
            {products.rows.map((each) => (
              <option key={each.id} value={each.id}>
                {each.name}
                {each.rate === null ? "" : ` (${money(each.rate, each.currency)})`}
                {each.is_active ? "" : ", not active"}
              </option>
            ))}
          </SelectField>
          <TextField label="Times" inputMode="decimal" value={draft.multiplier} onChange={(event) => change({ multiplier: event.target.value })} />
        </div>
        <SelectField
          label="Counts"
          value={draft.counts}
          onChange={(event) => change(event.target.value === "seats" ? { counts: "seats", seat_basis: draft.seat_basis ?? "assigned" } : { counts: "devices", seat_basis: null })}
        >
          <option value="devices">Devices</option>
          <option value="seats">Seats of Microsoft 365 licenses</option>
        </SelectField>
        {draft.counts === "devices" ? <DeviceFields draft={draft} change={change} /> : <SeatFields draft={draft} change={change} />}
        <CheckField label="Compare with this rule (without it, its open differences close)" checked={draft.enabled} onChange={(event) => change({ enabled: event.target.checked })} />
        {error ? <ErrorNotice error={error} what="The server refused." kept="What you entered is still here." /> : null}
        {isSeen ? <EffectView effect={seen.effect} /> : null}
      </div>
    </Dialog>
  );
}

interface FieldsProps {
  draft: RuleDraft;
  change: (next: Partial<RuleDraft>) => void;
}

/** `list` with `value`, or without it. */
function toggled<T>(list: readonly T[], value: T, on: boolean): T[] {
  return on ? [...list, value] : list.filter((other) => other !== value);
}

function DeviceFields({ draft, change }: FieldsProps) {
  return (
    <>
      <fieldset className="flex flex-wrap gap-x-5 gap-y-1.5">
        <legend className="mb-1 font-medium">Classes</legend>
        {CLASSES.map((each) => (
          <CheckField
            key={each}
            label={deviceClasses[each]}
            checked={draft.device_classes.includes(each)}
            onChange={(event) => change({ device_classes: toggled(draft.device_classes, each, event.target.checked) })}
          />
        ))}
      </fieldset>
      <CheckField label="Only devices that are approved at the RMM" checked={draft.approved_only} onChange={(event) => change({ approved_only: event.target.checked })} />
    </>
  );
}

function SeatFields({ draft, change }: FieldsProps) {
  const skus = useRows("sku_list", { order: [{ column: "name" }, { column: "sku_id" }], limit: SKUS_MAX });
  return (
    <>
      <fieldset className="grid max-h-48 gap-1.5 overflow-y-auto">
        <legend className="mb-1 font-medium">Licenses</legend>
        {skus.error ? <ErrorNotice error={skus.error} what="The licenses could not be read." retry={skus.refetch} /> : null}
        {!skus.isPending && !skus.error && skus.rows.length === 0 ? <p className="text-ink-2">No license is known yet. They come from Microsoft 365.</p> : null}
        {skus.rows.map((sku) => (
          <CheckField
            key={sku.sku_id}
            label={
              <>
                {sku.name} <span className="text-sm text-ink-2">{count(sku.assigned)} assigned in {plural(sku.tenants, "tenant")}</span>
              </>
            }
            checked={draft.sku_ids.includes(sku.sku_id)}
            onChange={(event) => change({ sku_ids: toggled(draft.sku_ids, sku.sku_id, event.target.checked) })}
          />
        ))}
      </fieldset>
      <SelectField label="Which seats" value={draft.seat_basis ?? "assigned"} onChange={(event) => change({ seat_basis: seatBases.find((basis) => basis === event.target.value) ?? "assigned" })}>
        {seatBases.map((basis) => (
          <option key={basis} value={basis}>
            {seatBasisWords[basis]}
          </option>
        ))}
      </SelectField>
    </>
  );
}

function EffectView({ effect }: { effect: Effect }) {
  const shown = effect.rows.slice(0, EFFECT_ROWS_SHOWN);
  return (
    <section aria-label="Effect" className="rounded-md border border-line">
      <p className="border-b border-line bg-mute-soft px-3 py-2">
        <b className="font-semibold">{plural(effect.differences, "difference")}</b> at {plural(effect.customers, "customer")}
        {effect.totals.map((each) => (
          <span key={each.currency}> · {money(each.under, each.currency)} too little, {money(each.over, each.currency)} too much a month</span>
        ))}
        {effect.customersSkipped > 0 ? <span className="text-warn"> · {plural(effect.customersSkipped, "customer")} left out: facts not fresh and complete</span> : null}
      </p>
      <ul>
        {shown.map((row) => (
          <li key={row.customerId} className="flex flex-wrap items-baseline gap-x-3 border-b border-line px-3 py-1.5 last:border-b-0">
            <b className="min-w-0 flex-1 basis-40 truncate font-medium">{row.customerName}</b>
            <span className="text-sm text-ink-2 tabular-nums">{quantity(row.counted)} counted, {quantity(row.billed)} billed</span>
            <span className="tabular-nums">{row.moneyPerMonth === null ? "-" : money(row.moneyPerMonth, row.currency)}</span>
          </li>
        ))}
      </ul>
      {effect.differences > shown.length ? <p className="border-t border-line px-3 py-1.5 text-sm text-ink-2">and {effect.differences - shown.length} more, smaller</p> : null}
    </section>
  );
}
