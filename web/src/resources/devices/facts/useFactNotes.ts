import { useRows } from "@/api/queries";
import type { FactPart } from "@/api/rows";
import type { Where } from "@/api/where";
import { noteOf, type FactNote } from "./facts";

/** How each kind of facts of a device was read. */
export function useFactNotes(where: Where[]): (part: FactPart) => FactNote {
  const { rows } = useRows("device_fact_list", { where, order: [{ column: "part" }] });
  return (part) => noteOf(rows, part);
}
