import type { Tried } from "@/api/connections";
import { StatusBadge } from "@/kit/StatusBadge";
import { findings, words } from "@/kit/status";

/** What the credentials may do, thing by thing; every missing right is named. */
export function Checks({ tried }: { tried: Tried }) {
  return (
    <ul aria-label="What was checked" className="rounded-md border border-line">
      {tried.checks.map((check) => (
        <li key={check.name} className="flex flex-wrap items-center gap-x-3 gap-y-0.5 border-b border-line px-3 py-1.5 last:border-b-0">
          <span className="min-w-0 flex-1 font-medium">{words(check.name)}</span>
          <StatusBadge of={findings} value={check.finding} />
          {check.problem ? (
            <span className="basis-full text-sm text-ink-2 [overflow-wrap:anywhere]">
              {says(check.problem, check.name)} {check.needed ? "Without it no synchronization is complete." : "Facts arrive without it; one ability is missing."}
            </span>
          ) : null}
        </li>
      ))}
    </ul>
  );
}

/** The server's sentence begins with the check's name, which stands above it already. */
function says(problem: string, name: string): string {
  const text = problem.startsWith(`${name}: `) ? problem.slice(name.length + 2) : problem;
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** One sentence for the whole. */
export function summary(tried: Tried): string {
  if (tried.integrationId === null) return "The vendor does not take these credentials. Nothing was kept.";
  if (tried.checks.every((check) => check.finding === "ok" || check.finding === "skipped")) return "Everything that is needed is there.";
  return tried.canRead ? "Synchronizing works; not everything else does." : "It is connected, but no synchronization will be complete until this is mended.";
}
