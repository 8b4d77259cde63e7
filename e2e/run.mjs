// Starts a demo on a free port in a temporary folder, runs the tests against it, and stops it.
// `node run.mjs [test files]`; the demo's output goes to out/demo.log.
import { spawn } from "node:child_process";
import { chmodSync, createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomBytes } from "node:crypto";

const START_MS_MAX = 180_000;
const SYNC_MS_MAX = 180_000;
const STOP_MS_MAX = 30_000;
const POLL_MS = 250;

const here = new URL(".", import.meta.url).pathname;
const obera = process.env.OBERA_BINARY ?? join(here, "../target/debug/obera");
const password = randomBytes(18).toString("base64url");

const folder = mkdtempSync(join(tmpdir(), "obera-e2e-"));
chmodSync(folder, 0o755); // The database runs as an unprivileged user when we are root.
mkdirSync(join(here, "out"), { recursive: true });
const log = createWriteStream(join(here, "out/demo.log"));

/** The environment without settings of the caller's own installation. */
function cleanEnvironment(extra) {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("OBERA_") && name !== "DATABASE_URL");
  return { ...Object.fromEntries(kept), ...extra };
}

const demo = spawn(obera, ["demo", "--data-dir", join(folder, "data"), "--port", "0"], {
  env: cleanEnvironment({ OBERA_DEMO_PASSWORD: password }),
  stdio: ["ignore", "pipe", "pipe"],
});
let printed = "";
for (const stream of [demo.stdout, demo.stderr]) {
  stream.setEncoding("utf8");
  stream.on("data", (text) => {
    printed = (printed + text).slice(-200_000);
    log.write(text);
  });
}
const demoEnded = new Promise((resolve) => {
  demo.on("exit", (code, signal) => resolve(`the demo ended (${signal ?? code})`));
  demo.on("error", (error) => resolve(`the demo did not start: ${error.message}`));
});

/** Waits until `look` gives something; fails when the demo ends or the time is over. */
async function until(what, limitMs, look) {
  const deadline = Date.now() + limitMs;
  let hasEnded;
  void demoEnded.then((how) => (hasEnded = how));
  for (;;) {
    const found = await look();
    if (found) return found;
    if (hasEnded) throw new Error(`${what}: ${hasEnded}`);
    if (Date.now() > deadline) throw new Error(`${what}: not within ${limitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function json(url, options) {
  const response = await fetch(url, { signal: AbortSignal.timeout(15_000), ...options }).catch(() => undefined);
  return response?.ok ? response.json() : undefined;
}

async function firstSync(url) {
  const body = JSON.stringify({ email: "owner@msp.example", password });
  const headers = { "content-type": "application/json" };
  const signedIn = await until("signing in", START_MS_MAX, () =>
    json(`${url}/auth/v1/token?grant_type=password`, { method: "POST", headers, body }),
  );
  const authorization = `Bearer ${signedIn.access_token}`;
  await until("the first synchronization", SYNC_MS_MAX, async () => {
    const runs = await json(`${url}/rest/v1/sync_runs?select=id&state=eq.complete&limit=1`, { headers: { authorization } });
    return runs?.length === 1;
  });
}

function runTests(url, sandbox) {
  const env = cleanEnvironment({
    OBERA_URL: url,
    OBERA_PASSWORD: password,
    OBERA_SANDBOX_URL: sandbox.base_url,
    OBERA_SANDBOX_CONTROL: sandbox.control_token,
    ...(process.env.OBERA_CHROMIUM ? { OBERA_CHROMIUM: process.env.OBERA_CHROMIUM } : {}),
  });
  const files = process.argv.slice(2);
  const command = files.length > 0 ? ["node", ["--test", "--test-concurrency=1", ...files]] : ["npm", ["test"]];
  const tests = spawn(...command, { cwd: here, env, stdio: "inherit" });
  return new Promise((resolve) => tests.on("exit", (code) => resolve(code ?? 1)));
}

async function stop() {
  if (demo.exitCode !== null || demo.signalCode !== null) return;
  demo.kill("SIGINT");
  const late = new Promise((resolve) => setTimeout(() => resolve("late"), STOP_MS_MAX).unref());
  if ((await Promise.race([demoEnded, late])) === "late") {
    demo.kill("SIGKILL");
    throw new Error(`the demo did not stop within ${STOP_MS_MAX / 1000} s of SIGINT`);
  }
}

let code = 1;
try {
  console.log(`Starting a demo in ${folder} …`);
  const url = await until("starting", START_MS_MAX, () => printed.match(/OberaConnect demo\s+(http:\/\/\S+)/)?.[1]);
  const sandbox = JSON.parse(readFileSync(join(folder, "data/secrets/sandbox.json"), "utf8"));
  await firstSync(url);
  console.log(`The demo runs at ${url}; testing.`);
  code = await runTests(url, sandbox);
} catch (error) {
  console.error(`e2e: ${error.message}`);
} finally {
  try {
    await stop();
  } catch (error) {
    console.error(`e2e: ${error.message}`);
    code = 1;
  }
  if (code !== 0) console.error(`The demo's last words (all of them in e2e/out/demo.log):\n${printed.slice(-3_000)}`);
  rmSync(folder, { recursive: true, force: true });
}
process.exit(code);
