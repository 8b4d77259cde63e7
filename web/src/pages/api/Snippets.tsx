import { Copy } from "lucide-react";
import { useState } from "react";
import { Button } from "@/ui/Button";
import { Card } from "@/ui/Card";
import { asCurl, asSupabase, type CallText } from "./snippets";

/** The same call for others to make; the token is left for them to fill in. */
export function Snippets({ call }: { call: CallText }) {
  return (
    <Card title="Elsewhere" aside="the token is yours to fill in">
      <Snippet name="curl" text={asCurl(call)} />
      <Snippet name="supabase-js" text={asSupabase(call)} />
    </Card>
  );
}

function Snippet({ name, text }: { name: string; text: string }) {
  const [note, setNote] = useState("");
  const copy = async () => {
    try {
      // Only https and localhost have a clipboard.
      await navigator.clipboard.writeText(text);
      setNote("Copied.");
    } catch {
      setNote("Select the text and copy it.");
    }
  };
  return (
    <div className="grid gap-1.5 border-b border-line px-3.5 py-3 last:border-b-0">
      <div className="flex items-center gap-2">
        <h3 className="font-medium">{name}</h3>
        <span role="status" className="ml-auto text-sm text-ink-2">{note}</span>
        <Button size="sm" aria-label={`Copy as ${name}`} icon={<Copy aria-hidden className="size-3.5" />} onClick={() => void copy()}>
          Copy
        </Button>
      </div>
      <pre tabIndex={0} aria-label={`The call as ${name}`} className="overflow-auto rounded-md bg-mute-soft px-2.5 py-2 font-mono text-sm whitespace-pre-wrap break-all">{text}</pre>
    </div>
  );
}
