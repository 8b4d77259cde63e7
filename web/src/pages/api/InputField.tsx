import { useState } from "react";
import { CheckField, SelectField, TextAreaField, TextField } from "@/ui/Field";
import { parseInput, type Field } from "./input";

interface InputFieldProps {
  field: Field;
  value: unknown;
  error: string | null;
  /** `undefined` leaves the field out. */
  onChange: (value: unknown) => void;
}

export function InputField({ field, value, error, onChange }: InputFieldProps) {
  const label = field.isRequired ? field.name : `${field.name} (optional)`;
  const hint = [field.description, field.format === "uuid" ? "An id." : ""].filter(Boolean).join(" ");
  const given = typeof value === "string" || typeof value === "number" ? String(value) : "";
  if (field.kind === "yes_no") {
    return <CheckField label={<>{label}{hint ? <span className="text-ink-2">: {hint}</span> : null}</>} checked={value === true} onChange={(event) => onChange(event.target.checked)} />;
  }
  if (field.kind === "choice") {
    const chosen = field.choices.find((choice) => choice.value === given);
    return (
      <SelectField label={label} hint={chosen?.description || hint} error={error} value={given} onChange={(event) => onChange(event.target.value || undefined)}>
        {field.isRequired ? null : <option value="">left out</option>}
        {field.choices.map((choice) => (
          <option key={choice.value} value={choice.value}>{choice.value}</option>
        ))}
      </SelectField>
    );
  }
  if (field.kind === "json") return <JsonField label={label} hint={hint} error={error} value={value} onChange={onChange} />;
  const isNumber = field.kind === "number";
  return (
    <TextField
      label={label}
      hint={hint}
      error={error}
      value={given}
      spellCheck={false}
      autoComplete="off"
      inputMode={isNumber ? "numeric" : undefined}
      className={field.format === "uuid" ? "font-mono text-sm" : undefined}
      onChange={(event) => {
        const text = event.target.value;
        if (text === "" && !field.isRequired) onChange(undefined);
        else onChange(isNumber && text !== "" && Number.isFinite(Number(text)) ? Number(text) : text);
      }}
    />
  );
}

/** Keeps what was typed while it is not JSON yet; only JSON goes on. */
function JsonField({ label, hint, error, value, onChange }: { label: string; hint: string; error: string | null; value: unknown; onChange: (value: unknown) => void }) {
  const [text, setText] = useState(() => (value === undefined ? "" : JSON.stringify(value, null, 2)));
  const { fault } = text === "" ? { fault: null } : parseInput(text);
  return (
    <TextAreaField
      label={label}
      hint={hint || "JSON"}
      error={fault ?? error}
      rows={3}
      spellCheck={false}
      className="font-mono text-sm"
      value={text}
      onChange={(event) => {
        const next = event.target.value;
        setText(next);
        if (next === "") {
          onChange(undefined);
          return;
        }
        const parsed = parseInput(next);
        // Half a value would be sent as if it were whole: it goes on as text, which the schema refuses.
        onChange(parsed.fault === null ? parsed.input : next);
      }}
    />
  );
}
