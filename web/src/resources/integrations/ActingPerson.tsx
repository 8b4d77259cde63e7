import { LogIn, LogOut } from "lucide-react";
import { beginSignIn, endSignIn } from "@/api/connections";
import { useRow } from "@/api/queries";
import { useAction } from "@/kit/action";
import { Ago } from "@/kit/Ago";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { useCan } from "@/kit/permissions";
import { Button } from "@/ui/Button";

/** As whom scripts run, tickets are written and maintenance windows are set: many instances let only a person do that. */
export function ActingPerson({ integrationId }: { integrationId: string }) {
  const { reason } = useCan();
  const acting = useRow("acting_sign_ins", { where: [{ column: "integration_id", op: "eq", value: integrationId }], every: 15_000 });
  const begin = useAction({
    quietError: true,
    act: async () => {
      window.location.assign(await beginSignIn(integrationId));
      return null;
    },
  });
  const end = useAction({ act: () => endSignIn(integrationId) });
  const person = acting.row;
  return (
    <div className="grid gap-2 border-t border-line px-3.5 py-3">
      <p>
        {person ? (
          <>
            Scripts, tickets and maintenance windows are a person’s: {person.person_name ?? "somebody"} signed in at NinjaOne, <Ago at={person.since} />.
          </>
        ) : (
          "Scripts, tickets and maintenance windows are the application's own. Where NinjaOne lets only people do that, sign in."
        )}
      </p>
      {person?.failed_at ? (
        <p role="alert" className="rounded-md bg-bad-soft px-3 py-2 text-bad [overflow-wrap:anywhere]">
          NinjaOne does not take this sign-in any more (<Ago at={person.failed_at} />): {person.problem}. Reading goes on; what acts fails until somebody signs in again.
        </p>
      ) : null}
      <div className="flex flex-wrap gap-2">
        <Button icon={<LogIn aria-hidden className="size-3.5" />} busy={begin.isBusy} reason={reason("integrations:write")} onClick={() => begin.run()}>
          {person ? "Sign in again…" : "Sign in at NinjaOne…"}
        </Button>
        {person ? (
          <Button icon={<LogOut aria-hidden className="size-3.5" />} busy={end.isBusy} reason={reason("integrations:write")} onClick={() => end.run()}>
            End the sign-in
          </Button>
        ) : null}
      </div>
      {acting.error ? <ErrorNotice error={acting.error} what="Who is signed in could not be read." retry={acting.refetch} /> : null}
      {begin.error ? <ErrorNotice error={begin.error} what="The sign-in was not begun." kept="Nothing was changed." /> : null}
    </div>
  );
}
