import type { AccessLogRow } from "@/api/rows";

/** Who read, in words: a person, or what stands for one. */
export function reader(row: Pick<AccessLogRow, "actor_name" | "actor_email" | "actor_id" | "actor_role">): string {
  if (row.actor_role === "link") return `Signed link of ${row.actor_name ?? "somebody who is gone"}`;
  if (row.actor_name !== null) return row.actor_name;
  if (row.actor_id !== null) return "Somebody who is gone";
  switch (row.actor_role) {
    case "anon":
      return "Not signed in";
    case "operator":
      return "On the machine";
    case "several":
      return "Several people";
    default:
      return "Unknown";
  }
}
