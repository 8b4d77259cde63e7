import { Badge } from "@/ui/Badge";
import { statusOf, type Vocabulary } from "./status";

/** A state in the product's one vocabulary: word, icon and color. */
export function StatusBadge<Value extends string>({ of, value, label }: { of: Vocabulary<Value>; value: string; label?: string }) {
  const status = statusOf(of, value);
  return (
    <Badge tone={status.tone} icon={status.icon} spin={status.spin ?? false} title={status.says}>
      {label ?? status.label}
    </Badge>
  );
}
