import { useEffect, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { finishSignIn, type Tried } from "@/api/connections";
import { useAction } from "@/kit/action";
import { ErrorNotice } from "@/kit/ErrorNotice";
import { PageHeader } from "@/kit/PageHeader";
import { paths } from "@/kit/paths";
import { Button } from "@/ui/Button";
import { Card } from "@/ui/Card";
import { SkeletonRows } from "@/ui/Skeleton";
import { Checks, summary } from "./Checks";

const UP = { label: "Integrations", to: "/integrations" };

/** The vendor's page sends the browser back here. What it brings is good once, and leaves the address bar at once. */
export default function SignedIn() {
  const navigate = useNavigate();
  const [back] = useState(() => new URLSearchParams(window.location.search));
  const [tried, setTried] = useState<Tried | null>(null);
  const state = back.get("state");
  const code = back.get("code");
  const finish = useAction({
    quietError: true,
    act: async () => {
      if (state !== null && code !== null) setTried(await finishSignIn(state, code));
      return null;
    },
  });
  const begun = useRef(false);
  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    window.history.replaceState(window.history.state, "", window.location.pathname);
    if (state !== null && code !== null) finish.run();
  });
  const id = tried?.integrationId ?? null;
  const refused = back.get("error");
  return (
    <>
      <PageHeader title="Sign in at NinjaOne" up={UP} />
      <Card title={tried ? "Signed in" : refused !== null || state === null || code === null || finish.error ? "Not signed in" : "Signing in"}>
        <div className="grid gap-3 px-3.5 py-3">
          {tried ? (
            <>
              <p role="status" className={tried.canRead ? "text-ok" : "text-warn"}>
                From now on scripts, tickets and maintenance windows are those of the person who signed in. {summary(tried)}
              </p>
              <Checks tried={tried} />
              {id ? (
                <div>
                  <Button variant="primary" onClick={() => void navigate(paths.integration(id))}>
                    To the integration
                  </Button>
                </div>
              ) : null}
            </>
          ) : refused !== null ? (
            <p role="alert" className="text-warn [overflow-wrap:anywhere]">
              {refused === "access_denied" ? "It was not allowed at NinjaOne." : `NinjaOne says: ${refused.slice(0, 200)}.`} Nothing was changed.
            </p>
          ) : state === null || code === null ? (
            <p className="text-ink-2">A sign-in begins on the page of the integration.</p>
          ) : finish.error ? (
            <ErrorNotice error={finish.error} what="The sign-in was not finished." kept="Nothing was changed. Begin again on the page of the integration." />
          ) : (
            <SkeletonRows rows={3} />
          )}
        </div>
      </Card>
    </>
  );
}
