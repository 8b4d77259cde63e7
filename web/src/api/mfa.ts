import { isRecord, stringOrNull } from "./errors";
import { callFunction } from "./functions";

/** One thing that was looked at for the answer, and what it does for this person. */
export interface ChainLink {
  effect: string;
  text: string;
}

/** The reasons behind an answer; what cannot be read is left out. */
export function readChain(value: unknown): ChainLink[] {
  return (Array.isArray(value) ? value.filter(isRecord) : []).map((link) => ({ effect: stringOrNull(link.effect) ?? "", text: stringOrNull(link.text) ?? "" }));
}

interface PersonKey {
  customer_id: string;
  id: string;
}

/** A person's word that a gap is known and borne until a day. */
export function acceptGap(person: PersonKey, reason: string, until: string): Promise<string> {
  return callFunction("mfa", { action: "accept", customer_id: person.customer_id, person_id: person.id, reason, until }, () => "Accepted. It is a gap again when the time is over.");
}

export function withdrawAcceptance(person: PersonKey): Promise<string> {
  return callFunction("mfa", { action: "withdraw", customer_id: person.customer_id, person_id: person.id }, () => "It counts as a gap again.");
}
