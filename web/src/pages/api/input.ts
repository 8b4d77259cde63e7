import { isRecord } from "@/api/errors";
import type { Schema } from "@/api/openapi";

/** One way to call a function: one shape of its input. */
export interface Variant {
  /** The value of its tag (`action`), or "input" when there is only one. */
  name: string;
  tag: string | null;
  description: string;
  schema: Schema;
}

export interface Field {
  name: string;
  kind: "text" | "choice" | "yes_no" | "number" | "json";
  /** For a choice: value and what it means. */
  choices: { value: string; description: string }[];
  isRequired: boolean;
  description: string;
  format: string | null;
  fallback: unknown;
}

export interface Fault {
  /** Empty for the whole input. */
  field: string;
  message: string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const properties = (schema: Schema): [string, Schema][] =>
  Object.entries(isRecord(schema.properties) ? schema.properties : {}).map(([name, value]) => [name, isRecord(value) ? value : {}]);
const required = (schema: Schema): string[] => (Array.isArray(schema.required) ? schema.required.map(String) : []);
const oneOf = (schema: Schema): Schema[] => (Array.isArray(schema.oneOf) ? schema.oneOf.filter(isRecord) : []);
const words = (value: unknown): string => (typeof value === "string" ? value : "");

export function variantsOf(schema: Schema): Variant[] {
  const shapes = oneOf(schema);
  if (shapes.length === 0) return [{ name: "input", tag: null, description: words(schema.description), schema }];
  return shapes.map((shape, index) => {
    const tag = properties(shape).find(([, property]) => typeof property.const === "string");
    return { name: tag ? words(tag[1].const) : `shape ${index + 1}`, tag: tag?.[0] ?? null, description: words(shape.description), schema: shape };
  });
}

/** The shape that an input means: the one with its tag, else the first. */
export function variantOf(variants: readonly Variant[], input: unknown): Variant | undefined {
  return variants.find((variant) => variant.tag !== null && isRecord(input) && input[variant.tag] === variant.name) ?? variants[0];
}

function choicesOf(property: Schema): Field["choices"] {
  const choices = oneOf(property).flatMap((one) => (typeof one.const === "string" ? [{ value: one.const, description: words(one.description) }] : []));
  if (choices.length > 0) return choices;
  return Array.isArray(property.enum) ? property.enum.filter((value) => typeof value === "string").map((value) => ({ value, description: "" })) : [];
}

const typesOf = (property: Schema): string[] => (Array.isArray(property.type) ? property.type.map(String) : typeof property.type === "string" ? [property.type] : []);

/** What a person fills in; the tag is chosen before. */
export function fieldsOf(variant: Variant): Field[] {
  const needed = required(variant.schema);
  return properties(variant.schema)
    .filter(([name]) => name !== variant.tag)
    .map(([name, property]) => {
      const choices = choicesOf(property);
      const types = typesOf(property);
      const kind: Field["kind"] =
        choices.length > 0
          ? "choice"
          : types.includes("boolean")
            ? "yes_no"
            : types.includes("integer") || types.includes("number")
              ? "number"
              : types.includes("string")
                ? "text"
                : "json";
      return { name, kind, choices, isRequired: needed.includes(name), description: words(property.description), format: words(property.format) || null, fallback: property.default };
    });
}

/** An input of this shape that keeps what the other one had in common with it. */
export function startOf(variant: Variant, from: unknown): Record<string, unknown> {
  const before = isRecord(from) ? from : {};
  const input: Record<string, unknown> = variant.tag === null ? {} : { [variant.tag]: variant.name };
  for (const field of fieldsOf(variant)) {
    if (field.name in before) input[field.name] = before[field.name];
    else if (field.isRequired) input[field.name] = field.fallback ?? (field.kind === "yes_no" ? false : field.kind === "json" ? {} : (field.choices[0]?.value ?? ""));
  }
  return input;
}

export function parseInput(text: string): { input: unknown; fault: null } | { input: null; fault: string } {
  try {
    const input: unknown = JSON.parse(text);
    return { input, fault: null };
  } catch (error) {
    return { input: null, fault: error instanceof Error ? error.message : "This is not JSON." };
  }
}

/** What the server would refuse for its shape, as far as the schema says. Ids and rights only the server knows. */
export function faultsOf(schema: Schema, input: unknown): Fault[] {
  if (!isRecord(input)) return [{ field: "", message: "The input is an object." }];
  const variants = variantsOf(schema);
  const tag = variants[0]?.tag ?? null;
  const variant = variantOf(variants, input);
  if (!variant) return [];
  if (tag !== null && !variants.some((one) => one.name === input[tag])) {
    return [{ field: tag, message: `One of ${variants.map((one) => one.name).join(", ")}.` }];
  }
  const known = properties(variant.schema);
  const faults: Fault[] = required(variant.schema)
    .filter((name) => !(name in input) || input[name] === "")
    .map((name) => ({ field: name, message: "This is needed." }));
  if (variant.schema.additionalProperties === false) {
    for (const name of Object.keys(input)) {
      if (!known.some(([one]) => one === name)) faults.push({ field: name, message: "There is no such field." });
    }
  }
  for (const [name, property] of known) {
    if (!(name in input) || faults.some((fault) => fault.field === name)) continue;
    const message = faultOf(property, input[name]);
    if (message) faults.push({ field: name, message });
  }
  return faults;
}

function faultOf(property: Schema, value: unknown): string | null {
  if (property.const !== undefined) return property.const === value ? null : `Must be ${JSON.stringify(property.const)}.`;
  const choices = choicesOf(property);
  if (choices.length > 0) return choices.some((choice) => choice.value === value) ? null : `One of ${choices.map((choice) => choice.value).join(", ")}.`;
  const types = typesOf(property);
  if (types.length > 0 && !types.includes(typeOf(value)) && !(typeOf(value) === "integer" && types.includes("number"))) return `Must be of type ${types.join(" or ")}.`;
  if (typeof value === "string") {
    if (property.format === "uuid" && !UUID.test(value)) return "Must be an id (a UUID).";
    if (typeof property.minLength === "number" && [...value].length < property.minLength) return `At least ${property.minLength} characters.`;
    if (typeof property.maxLength === "number" && [...value].length > property.maxLength) return `At most ${property.maxLength} characters.`;
  }
  return null;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}
