// The sandbox of the running demo: makes a device ill as `obera sandbox trigger` does for a person, and changes the estate.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set. The story needs it; see e2e/README.md.`);
  return value;
}

/** The device and its customer, by name. */
export async function trigger(illness, ...options) {
  return triggerAt(required("OBERA_BIN"), required("OBERA_DATA_DIR"), illness, ...options);
}

/** As `trigger`, in the demo of this folder. */
export async function triggerAt(bin, dataDir, illness, ...options) {
  const { stdout } = await promisify(execFile)(bin, ["--data-dir", dataDir, "sandbox", "trigger", illness, ...options], { timeout: 30_000 });
  const found = /^(\S+) of (.+) is ill now/m.exec(stdout);
  if (!found) throw new Error(`the sandbox said: ${stdout}`);
  return { device: found[1], customer: found[2] };
}

/** Lets the vendors' time go on. */
export async function advance(days) {
  await promisify(execFile)(required("OBERA_BIN"), ["--data-dir", required("OBERA_DATA_DIR"), "sandbox", "advance", "--days", String(days)], { timeout: 30_000 });
}

/** How to reach the running demo's sandbox: addresses and credentials of each vendor, and the control plane's token. */
export function handle() {
  return JSON.parse(readFileSync(join(required("OBERA_DATA_DIR"), "secrets/sandbox.json"), "utf8"));
}

/** Asks the control plane of the running demo's sandbox; with a body it is a POST, unless said. */
export async function control(path, body, method = body === undefined ? "GET" : "POST") {
  const { base_url: address, control_token: token } = handle();
  const response = await fetch(`${address}/_sandbox${path}`, {
    method,
    headers: { "content-type": "application/json", "x-sandbox-control": token },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text);
}
