import { TextField } from "@/ui/Field";
import type { ConnectForm } from "./connect";

interface CredentialFieldsProps {
  form: ConnectForm;
  values: Record<string, string>;
  onChange: (values: Record<string, string>) => void;
}

/** Password managers keep out: these are a machine's credentials. */
export function CredentialFields({ form, values, onChange }: CredentialFieldsProps) {
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      {form.fields.map((field) => (
        <TextField
          key={field.id}
          label={field.optional ? `${field.label} (optional)` : field.label}
          type={field.secret ? "password" : "text"}
          autoComplete={field.secret ? "new-password" : "off"}
          spellCheck={false}
          maxLength={500}
          value={values[field.id] ?? ""}
          hint={field.hint}
          onChange={(event) => onChange({ ...values, [field.id]: event.target.value })}
        />
      ))}
    </div>
  );
}
