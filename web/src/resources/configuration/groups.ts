import { useQuery } from "@tanstack/react-query";
import { isRecord, stringOrNull, toApiError, type ApiError } from "@/api/errors";
import { CALM_MS, useRows, type RowsResult } from "@/api/queries";
import { readRows } from "@/api/rest";
import type { ItemRow, RelationshipRow } from "@/api/rows";
import type { Where } from "@/api/where";

/** Relationships of one item by one rule in one direction. */
export interface Group {
  direction: "in" | "out";
  rule: string;
  otherKind: string;
  items: number;
}
type Key = Pick<ItemRow, "customer_id" | "id" | "kind">;

const GROUPS_MAX = 60;
export const SHOWN_FIRST = 5;

const ofItem = (item: Key): Where[] => [
  { column: "customer_id", op: "eq", value: item.customer_id },
  { column: "item_kind", op: "eq", value: item.kind },
  { column: "item_id", op: "eq", value: item.id },
];

export function readGroups(rows: unknown): Group[] {
  return (Array.isArray(rows) ? rows.filter(isRecord) : []).flatMap((row): Group[] => {
    const [rule, otherKind] = [stringOrNull(row.rule), stringOrNull(row.other_kind)];
    if (rule === null || otherKind === null || typeof row.items !== "number") return [];
    return [{ direction: row.direction === "in" ? "in" : "out", rule, otherKind, items: row.items }];
  });
}

/** How many relationships of each rule there are: a tenant may have 50,000 of one. */
export function useGroups(item: Key | null): { groups: Group[]; isPending: boolean; error: ApiError | null; refetch: () => void } {
  const result = useQuery({
    queryKey: ["configuration_relationship_list", "groups", item?.customer_id, item?.id],
    enabled: item !== null,
    refetchInterval: CALM_MS,
    queryFn: async ({ signal }) =>
      item === null
        ? []
        : readGroups(
            (
              await readRows("configuration_relationship_list", {
                columns: "direction,rule,other_kind,items:count()",
                where: ofItem(item),
                order: [{ column: "direction", descending: true }, { column: "rule" }, { column: "other_kind" }],
                limit: GROUPS_MAX,
                signal,
              })
            ).rows,
          ),
  });
  return { groups: result.data ?? [], isPending: result.isPending && item !== null, error: result.error ? toApiError(result.error) : null, refetch: () => void result.refetch() };
}

export function useGroupRows(item: Key, group: Group, limit: number): RowsResult<RelationshipRow> {
  return useRows("configuration_relationship_list", {
    where: [
      ...ofItem(item),
      { column: "direction", op: "eq", value: group.direction },
      { column: "rule", op: "eq", value: group.rule },
      { column: "other_kind", op: "eq", value: group.otherKind },
    ],
    order: [{ column: "other_name" }, { column: "other_id" }],
    limit,
    keep: true,
  });
}
