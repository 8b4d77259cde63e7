import { useRows } from "@/api/queries";
import type { PersonRow } from "@/api/rows";
import { useCan } from "./permissions";

const PEOPLE_MAX = 1_000;
const PEOPLE_MS = 5 * 60_000;

/** Names of people, read once for the whole console. */
export function usePeople(): { people: PersonRow[]; nameOf: (id: string | null) => string | null } {
  const { isProvider } = useCan();
  // Whom a person may not know they read as what they are to them, never as an id.
  const unknown = isProvider ? "somebody" : "a technician of the provider";
  const { rows } = useRows("people", { order: [{ column: "display_name" }], limit: PEOPLE_MAX, every: PEOPLE_MS });
  return { people: rows, nameOf: (id) => (id === null ? null : (rows.find((person) => person.id === id)?.display_name ?? unknown)) };
}
