import { Plus } from "lucide-react";
import { useState } from "react";
import type { CountRuleRow } from "@/api/rows";
import { useCan } from "@/kit/permissions";
import { ResourceList } from "@/kit/ResourceList";
import { Button } from "@/ui/Button";
import { countRules } from "./columns";
import { RuleEditor } from "./RuleEditor";

export default function CountRuleList() {
  const { reason } = useCan();
  const [edited, setEdited] = useState<CountRuleRow | "new" | null>(null);
  const forbidden = reason("billing:manage");
  return (
    <>
      <ResourceList
        resource={countRules}
        actions={
          <Button variant="primary" icon={<Plus aria-hidden className="size-3.5" />} reason={forbidden} onClick={() => setEdited("new")}>
            New rule
          </Button>
        }
        rowActions={(row) => (
          <Button size="sm" reason={forbidden} aria-label={`Edit ${row.name}`} onClick={() => setEdited(row)}>
            Edit
          </Button>
        )}
      />
      {edited ? <RuleEditor rule={edited === "new" ? null : edited} onClose={() => setEdited(null)} /> : null}
    </>
  );
}
