import { KeyRound, Send } from "lucide-react";
import { useId, useState } from "react";
import { isRecord, toApiError } from "@/api/errors";
import { freshKey, postFunction } from "@/api/functions";
import type { Operation } from "@/api/openapi";
import { Button } from "@/ui/Button";
import { Card } from "@/ui/Card";
import { SelectField, TextAreaField } from "@/ui/Field";
import { AnswerCard, type Answered } from "./AnswerCard";
import { InputField } from "./InputField";
import { faultsOf, fieldsOf, parseInput, startOf, variantOf, variantsOf } from "./input";
import { Snippets } from "./Snippets";

type Form = "fields" | "json";

const shown = (input: unknown): string => JSON.stringify(input, null, 2);

/** One call in the making: its input as a form or as JSON, what will be sent, and the answer. */
export function TryIt({ operation }: { operation: Operation }) {
  const variants = variantsOf(operation.input);
  const [text, setText] = useState(() => shown(operation.example));
  const [form, setForm] = useState<Form>("fields");
  const [key, setKey] = useState(freshKey);
  const [isChecked, setIsChecked] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const [answered, setAnswered] = useState<Answered | null>(null);
  const headingId = useId();

  const parsed = parseInput(text);
  const faults = parsed.fault === null ? faultsOf(operation.input, parsed.input) : [{ field: "", message: parsed.fault }];
  const variant = variantOf(variants, parsed.input);
  const change = (input: unknown) => changeText(shown(input));
  // A key stands for one input: another input is another intention.
  function changeText(next: string) {
    setText(next);
    setKey(freshKey());
    setIsChecked(false);
  }
  const faultFor = (field: string) => (isChecked ? (faults.find((fault) => fault.field === field)?.message ?? null) : null);

  async function send() {
    setIsChecked(true);
    if (faults.length > 0) return;
    setIsBusy(true);
    setAnswered(await sent(operation.id, parsed.input, key));
    setIsBusy(false);
  }

  return (
    <>
      <Card
        title={<span id={headingId}>Try it</span>}
        aside={
          <span role="group" aria-labelledby={headingId} className="inline-flex gap-1">
            {(["fields", "json"] as const).map((one) => (
              <Button key={one} size="sm" variant={form === one ? "default" : "ghost"} aria-pressed={form === one} onClick={() => setForm(one)} reason={one === "fields" && parsed.fault !== null ? "The JSON has a fault; mend it first." : null}>
                {one === "fields" ? "Fields" : "JSON"}
              </Button>
            ))}
          </span>
        }
      >
        <div className="grid gap-3 px-3.5 py-3">
          {form === "json" || parsed.fault !== null || !variant ? (
            <TextAreaField label="Input" rows={9} spellCheck={false} className="font-mono text-sm" value={text} onChange={(event) => changeText(event.target.value)} error={isChecked && faults.length > 0 ? faults.map((fault) => (fault.field ? `${fault.field}: ${fault.message}` : fault.message)).join(" ") : null} />
          ) : (
            <>
              {variant.tag ? (
                <SelectField label={variant.tag} hint={variant.description} value={variant.name} onChange={(event) => {
                  const next = variants.find((one) => one.name === event.target.value);
                  if (next) change(startOf(next, parsed.input));
                }}>
                  {variants.map((one) => (
                    <option key={one.name} value={one.name}>{one.name}</option>
                  ))}
                </SelectField>
              ) : null}
              {fieldsOf(variant).map((field) => (
                <InputField
                  key={`${variant.name} ${field.name}`}
                  field={field}
                  value={isRecord(parsed.input) ? parsed.input[field.name] : undefined}
                  error={faultFor(field.name)}
                  onChange={(value) => {
                    const others = Object.entries(isRecord(parsed.input) ? parsed.input : {}).filter(([name]) => value !== undefined || name !== field.name);
                    change({ ...Object.fromEntries(others), ...(value === undefined ? {} : { [field.name]: value }) });
                  }}
                />
              ))}
            </>
          )}
          <Preview operation={operation} idempotencyKey={key} />
          <div className="flex flex-wrap items-center gap-2">
            <Button variant="primary" icon={<Send aria-hidden className="size-3.5" />} busy={isBusy} onClick={() => void send()}>
              Send
            </Button>
            <Button icon={<KeyRound aria-hidden className="size-3.5" />} title="The same input under a new key is carried out again." onClick={() => setKey(freshKey())}>
              New key
            </Button>
            {isChecked && faults.length > 0 ? <p role="alert" className="text-sm text-bad">Nothing was sent: the input has a fault.</p> : <p className="text-sm text-ink-2">It is carried out for real, as you.</p>}
          </div>
        </div>
      </Card>
      {answered ? <AnswerCard answered={answered} /> : null}
      <Snippets call={{ origin: location.origin, path: operation.path, name: operation.id, key, input: parsed.fault === null ? parsed.input : {} }} />
    </>
  );
}

/** What “Send” sends. The token is the session's and is not shown. */
function Preview({ operation, idempotencyKey }: { operation: Operation; idempotencyKey: string }) {
  const lines = [
    `${operation.method} ${location.origin}${operation.path}`,
    "authorization: Bearer (your session)",
    "content-type: application/json",
    `idempotency-key: ${idempotencyKey}`,
  ];
  return (
    <div className="grid gap-1">
      <p className="font-medium">What is sent</p>
      <pre className="rounded-md bg-mute-soft px-2.5 py-2 font-mono text-sm break-all whitespace-pre-wrap">{lines.join("\n")}</pre>
    </div>
  );
}

/** Sends it; whatever comes back is an answer, also an error or nothing at all. */
async function sent(name: string, input: unknown, key: string): Promise<Answered> {
  const begun = performance.now();
  const took = () => Math.round(performance.now() - begun);
  try {
    const response = await postFunction(name, input, key);
    const body = await response.text();
    const { headers, status } = response;
    return { status, requestId: headers.get("x-request-id"), durationMs: took(), isReplayed: headers.get("idempotency-replayed") === "true", body: prettied(body) };
  } catch (error) {
    const { status, code, message, details, hint, requestId } = toApiError(error);
    return { status, requestId, durationMs: took(), isReplayed: false, body: shown({ code, message, details, hint }) };
  }
}

function prettied(body: string): string {
  const { input, fault } = parseInput(body);
  return fault === null ? shown(input) : body;
}
