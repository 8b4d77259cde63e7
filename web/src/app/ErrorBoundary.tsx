import { Bug, RotateCw } from "lucide-react";
import { Component, type ReactNode } from "react";
import { ApiError } from "@/api/errors";
import { Button, ButtonLink } from "@/ui/Button";
import { EmptyState } from "@/ui/EmptyState";

interface State {
  error: Error | null;
}

/** A page that breaks takes only itself down: the shell stays, and the way on is named. */
export class ErrorBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    const outdated = /dynamically imported module|module script/i.test(error.message);
    return (
      <div role="alert" className="rounded-lg border border-line bg-surface shadow-1">
        <EmptyState
          icon={Bug}
          heading="h1"
          title={outdated ? "A newer version of the console is ready" : "This page could not be shown"}
          action={
            <>
              <Button variant="primary" icon={<RotateCw aria-hidden className="size-3.5" />} onClick={() => (outdated ? location.reload() : this.setState({ error: null }))}>
                {outdated ? "Load it" : "Try again"}
              </Button>
              <ButtonLink to="/" onClick={() => this.setState({ error: null })}>
                Go to overview
              </ButtonLink>
            </>
          }
        >
          {outdated ? "Nothing you did is lost." : "Nothing was changed on the server by this."}
          <p className="mt-2 font-mono text-xs text-ink-3 break-words">
            {error.message}
            {error instanceof ApiError && error.requestId ? ` · request ${error.requestId}` : ""}
          </p>
        </EmptyState>
      </div>
    );
  }
}
