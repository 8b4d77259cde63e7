// The control plane of the demo's vendor: makes a device ill.
function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set. The story needs the demo's sandbox; see e2e/README.md.`);
  return value;
}

export async function trigger(order) {
  const response = await fetch(`${required("OBERA_SANDBOX_URL").replace(/\/$/, "")}/_sandbox/trigger`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-sandbox-control": required("OBERA_SANDBOX_CONTROL") },
    body: JSON.stringify(order),
    signal: AbortSignal.timeout(15_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`the sandbox refused: ${response.status} ${text}`);
  return JSON.parse(text);
}
