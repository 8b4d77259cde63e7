import { FileCheck2 } from "lucide-react";
import { evidenceBundle } from "@/api/actions";
import { Button } from "@/ui/Button";
import { useAction } from "./action";
import { saveText } from "./csv";
import { useCan } from "./permissions";

interface EvidenceLinkProps {
  customerId: string;
  /** Null while the run has none. */
  evidenceId: string | null;
  runId: string;
  label?: string;
  size?: "sm" | "md";
  /** Why there is none yet. */
  none?: string;
}

/** Downloads the signed record of a run; it is checked offline with `obera evidence verify`. */
export function EvidenceLink({ customerId, evidenceId, runId, label = "Evidence", size = "md", none = "The evidence is signed when the run ends." }: EvidenceLinkProps) {
  const { reason } = useCan();
  const action = useAction({
    act: async () => {
      const bundle = await evidenceBundle(customerId, evidenceId ?? "");
      saveText(`${runId}.evidence.jsonl`, bundle, "application/jsonl");
      return "Evidence downloaded.";
    },
  });
  return (
    <Button
      size={size}
      icon={<FileCheck2 aria-hidden className="size-3.5" />}
      busy={action.isBusy}
      reason={evidenceId === null ? none : reason("evidence:read", customerId)}
      onClick={() => action.run()}
    >
      {label}
    </Button>
  );
}
