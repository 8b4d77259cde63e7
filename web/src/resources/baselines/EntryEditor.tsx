import { useState } from "react";
import { previewLayer, removeEntry, ruleOf, saveEntry, valueWords, type Effect, type EntryDraft, type LayerOf, type Rule } from "@/api/drift";
import type { DriftSeverity } from "@/api/rows";
import { useAction } from "@/kit/action";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { driftSeverities } from "@/kit/status";
import { count, plural } from "@/kit/time";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { SelectField, TextAreaField, TextField } from "@/ui/Field";
import type { Line } from "./Entries";

const SEVERITIES: readonly DriftSeverity[] = ["critical", "high", "medium", "low"];
const RULES = { equals: "is", one_of: "is one of (a comma between)", at_least: "is at least", at_most: "is at most", contains: "contains", not_set: "is not set" } as const;
type RuleKind = keyof typeof RULES;
const KINDS: readonly RuleKind[] = ["equals", "one_of", "at_least", "at_most", "contains", "not_set"];

interface Fields {
  setting: string;
  demanded: boolean;
  is: RuleKind;
  /** As it is typed. */
  value: string;
  severity: DriftSeverity;
  why: string;
}

function fieldsOf(line: Line | null): Fields {
  const rule = ruleOf(line?.entry ? line.entry.rule : line?.standard?.rule);
  const from = line?.entry ?? line?.standard ?? null;
  return {
    setting: line?.setting ?? "",
    demanded: line?.entry ? line.entry.is_demanded : true,
    is: rule?.is ?? "equals",
    value: rule === null ? "" : typed(rule),
    severity: from?.severity ?? "medium",
    why: from?.why ?? "",
  };
}

function typed(rule: Rule): string {
  if (rule.is === "not_set") return "";
  if (rule.is === "one_of") return rule.values.map(valueWords).join(", ");
  return typeof rule.value === "object" ? JSON.stringify(rule.value) : valueWords(rule.value);
}

/** `yes` and `no` are booleans, numbers are numbers, what begins with a brace or bracket is JSON. */
function parsed(text: string): unknown {
  const value = text.trim();
  if (/^(yes|on|true)$/i.test(value)) return true;
  if (/^(no|off|false)$/i.test(value)) return false;
  if (/^-?\d{1,15}(\.\d{1,6})?$/.test(value)) return Number(value);
  if (!/^[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

function ruleFrom({ is, value }: Fields): Rule | string {
  if (is === "not_set") return { is };
  if (value.trim() === "") return "Say which value.";
  if (is === "one_of") return { is, values: value.split(",").map((part) => parsed(part)) };
  const read = parsed(value);
  if (read === undefined) return "The value begins like JSON and is none.";
  if (is === "at_least" || is === "at_most") return typeof read === "number" ? { is, value: read } : "That takes a number.";
  return { is, value: read };
}

interface EditorProps {
  layer: LayerOf;
  line: Line | null;
  /** All that the layer says now. */
  entries: EntryDraft[];
  onClose: () => void;
}

/** Edits what a layer says of one setting. It can be saved only after its effect was seen. */
export function EntryEditor({ layer, line, entries, onClose }: EditorProps) {
  const [fields, setFields] = useState(() => fieldsOf(line));
  const [seen, setSeen] = useState<{ of: string; effect: Effect } | null>(null);
  const change = (next: Partial<Fields>) => setFields((current) => ({ ...current, ...next }));
  const rule = fields.demanded ? ruleFrom(fields) : null;
  const problem = fields.setting.trim() === "" ? "Name the setting." : typeof rule === "string" ? rule : null;
  const draft: EntryDraft = { setting: fields.setting.trim(), rule: typeof rule === "string" ? null : rule, severity: fields.severity, why: fields.why };
  const state = JSON.stringify([draft.setting, draft.rule]);
  const preview = useAction({
    quietError: true,
    act: async () => {
      const effect = await previewLayer(layer, [...entries.filter((entry) => entry.setting !== draft.setting), draft]);
      setSeen({ of: state, effect });
      return null;
    },
  });
  const known = line?.entry ?? null;
  const save = useAction({ quietError: true, onDone: onClose, act: () => saveEntry(layer, known?.id ?? null, draft) });
  const remove = useAction({ quietError: true, onDone: onClose, act: () => removeEntry(layer, known?.id ?? "") });
  const isSeen = seen !== null && seen.of === state;
  const isSame = known !== null && JSON.stringify([known.setting, known.is_demanded ? ruleOf(known.rule) : null]) === state;
  const error = save.error ?? remove.error ?? preview.error;
  return (
    <Dialog
      open
      wide
      onOpenChange={(open) => !open && onClose()}
      title={line?.name ?? "A setting by its key"}
      description={line?.standard ? line.standard.what : "As CIPP names it, for example standards.AuditLog."}
      footer={
        <>
          {known ? (
            <Button variant="danger" busy={remove.isBusy} onClick={() => remove.run()}>
              Remove from this layer
            </Button>
          ) : null}
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
        {line === null ? <TextField label="Setting" value={fields.setting} maxLength={200} onChange={(event) => change({ setting: event.target.value })} /> : null}
        <SelectField label="This layer" value={fields.demanded ? "yes" : "no"} onChange={(event) => change({ demanded: event.target.value === "yes" })}>
          <option value="yes">demands it</option>
          <option value="no">switches it off: not demanded, whatever wider layers say</option>
        </SelectField>
        {fields.demanded ? <RuleFields fields={fields} change={change} /> : null}
        <SelectField label="Severity" value={fields.severity} onChange={(event) => change({ severity: SEVERITIES.find((each) => each === event.target.value) ?? "medium" })}>
          {SEVERITIES.map((each) => (
            <option key={each} value={each}>
              {driftSeverities[each].label}
            </option>
          ))}
        </SelectField>
        <TextAreaField label="Why it matters" rows={2} maxLength={2_000} value={fields.why} onChange={(event) => change({ why: event.target.value })} />
        {line?.standard?.license ? <p className="text-sm text-ink-2">Needs {line.standard.license}. Tenants without it are unknown, never drifting.</p> : null}
        {error ? <ErrorNotice error={error} what="The server refused." kept="What you entered is still here." /> : null}
        {isSeen ? <EffectView effect={seen.effect} setting={draft.setting} /> : null}
      </div>
    </Dialog>
  );
}

function RuleFields({ fields, change }: { fields: Fields; change: (next: Partial<Fields>) => void }) {
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      <SelectField label="The value" value={fields.is} onChange={(event) => change({ is: KINDS.find((kind) => kind === event.target.value) ?? "equals" })}>
        {KINDS.map((kind) => (
          <option key={kind} value={kind}>
            {RULES[kind]}
          </option>
        ))}
      </SelectField>
      {fields.is === "not_set" ? null : (
        <TextField label="Demanded" value={fields.value} hint="yes, no, a number, a word, or JSON" onChange={(event) => change({ value: event.target.value })} />
      )}
    </div>
  );
}

function EffectView({ effect, setting }: { effect: Effect; setting: string }) {
  const mine = effect.entries.find((entry) => entry.setting === setting)?.sums ?? null;
  const change = effect.then.drifted - effect.now.drifted;
  return (
    <section aria-label="Effect" className="rounded-md border border-line">
      <p className="border-b border-line bg-mute-soft px-3 py-2">
        <b className="font-semibold">{plural(effect.tenants, "tenant")}</b>: {count(effect.tenantsInOrder)} would be in order, {count(effect.tenantsDrifting)} would drift, {count(effect.tenantsUnknown)} would not be known
      </p>
      {mine && mine.demanded > 0 ? (
        <p className="border-b border-line px-3 py-2">
          This setting: {count(mine.inOrder)} in order, <span className={mine.drifted > 0 ? "font-medium text-bad" : undefined}>{count(mine.drifted)} drifting</span>, {count(mine.accepted)} accepted, {count(mine.unknown)} unknown
        </p>
      ) : null}
      <p className="px-3 py-2 text-ink-2">
        Drifts in all: {count(effect.now.drifted)} now, {count(effect.then.drifted)} then ({change > 0 ? "+" : ""}
        {change})
      </p>
    </section>
  );
}
