import { useState } from "react";
import { sayCredentialsEnd } from "@/api/actions";
import { useAction } from "@/kit/action";
import { useCan } from "@/kit/permissions";
import { Button } from "@/ui/Button";
import { TextField } from "@/ui/Field";

/** No vendor tells when a secret that it gave us ends: whoever made it knows. */
export function CredentialsEnd({ id, at }: { id: string; at: string | null }) {
  const { reason } = useCan();
  const known = at?.slice(0, 10) ?? "";
  const [day, setDay] = useState(known);
  const action = useAction({ act: () => sayCredentialsEnd(id, day === "" ? null : day) });
  return (
    <form
      className="flex flex-wrap items-end gap-2 border-t border-line px-3.5 py-2.5"
      onSubmit={(event) => {
        event.preventDefault();
        action.run();
      }}
    >
      <TextField type="date" label="Credentials end" value={day} onChange={(event) => setDay(event.target.value)} hint="As the vendor said when they were made." />
      <Button type="submit" busy={action.isBusy} reason={reason("integrations:write") ?? (day === known ? "Nothing changed." : null)}>
        Save
      </Button>
    </form>
  );
}
