import { useState } from "react";
import { previewRule, saveRule, type Effect, type RuleDraft } from "@/api/money";
import { useRows } from "@/api/queries";
import type { CountRuleRow, DeviceClass } from "@/api/rows";
import { useAction } from "@/kit/action";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { money, quantity } from "@/kit/money";
import { deviceClasses } from "@/kit/status";
import { plural } from "@/kit/time";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { CheckField, SelectField, TextField } from "@/ui/Field";

const PRODUCTS_MAX = 1_000;
const EFFECT_ROWS_SHOWN = 8;
const CLASSES = Object.keys(deviceClasses).filter((each): each is DeviceClass => each in deviceClasses);

function draftOf(rule: CountRuleRow | null): RuleDraft {
  if (rule === null) return { name: "", billing_product_id: "", device_classes: [], approved_only: true, multiplier: "1", enabled: true };
  const { name, billing_product_id, device_classes, approved_only, multiplier, enabled } = rule;
  return { name, billing_product_id, device_classes, approved_only, multiplier: String(multiplier), enabled };
}

/** What the server would compute from; a change here makes a shown effect the effect of something else. */
function counted(draft: RuleDraft): string {
  return JSON.stringify([draft.billing_product_id, [...draft.device_classes].sort(), draft.approved_only, draft.multiplier.trim()]);
}

function wrong(draft: RuleDraft): string | null {
  if (draft.name.trim() === "") return "Give the rule a name.";
  if (draft.billing_product_id === "") return "Choose the product.";
  if (draft.device_classes.length === 0) return "Choose what is counted.";
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
      description="Which devices a product stands for. One of the product is billed for each device that is counted."
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
        <fieldset className="grid gap-1.5">
          <legend className="mb-1 font-medium">Counts</legend>
          <div className="flex flex-wrap gap-x-5 gap-y-1.5">
            {CLASSES.map((each) => (
              <CheckField
                key={each}
                label={deviceClasses[each]}
                checked={draft.device_classes.includes(each)}
                onChange={(event) => change({ device_classes: event.target.checked ? [...draft.device_classes, each] : draft.device_classes.filter((other) => other !== each) })}
              />
            ))}
          </div>
        </fieldset>
        <CheckField label="Only devices that are approved at the RMM" checked={draft.approved_only} onChange={(event) => change({ approved_only: event.target.checked })} />
        <CheckField label="Compare with this rule (without it, its open differences close)" checked={draft.enabled} onChange={(event) => change({ enabled: event.target.checked })} />
        {error ? <ErrorNotice error={error} what="The server refused." kept="What you entered is still here." /> : null}
        {isSeen ? <EffectView effect={seen.effect} /> : null}
      </div>
    </Dialog>
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
