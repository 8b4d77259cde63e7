/** The call as others would make it. The token is never in it. */
export interface CallText {
  origin: string;
  path: string;
  name: string;
  key: string;
  input: unknown;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export function asCurl({ origin, path, key, input }: CallText): string {
  return [
    `curl -X POST ${quoted(origin + path)}`,
    `  -H "Authorization: Bearer $TOKEN"`,
    `  -H 'Content-Type: application/json'`,
    `  -H ${quoted(`Idempotency-Key: ${key}`)}`,
    `  --data ${quoted(JSON.stringify(input))}`,
  ].join(" \\\n");
}

export function asSupabase({ name, key, input }: CallText): string {
  const body = JSON.stringify(input, null, 2).replaceAll("\n", "\n  ");
  return `const { data, error } = await supabase.functions.invoke(${JSON.stringify(name)}, {\n  headers: { "Idempotency-Key": ${JSON.stringify(key)} },\n  body: ${body},\n});`;
}
