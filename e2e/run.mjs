// Runs the tests against OBERA_URL, or starts a small demo of its own and ends it afterwards.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const TESTS = ["1-story.test.mjs", "2-console.test.mjs", "3-portal.test.mjs", "4-desk.test.mjs", "5-realtime.test.mjs", "6-storage.test.mjs", "7-api.test.mjs", "8-clients.test.mjs", "9-sources.test.mjs"];
const START_MS_MAX = 180_000;
const STOP_MS_MAX = 60_000;
const here = fileURLToPath(new URL(".", import.meta.url));

function binary() {
  if (process.env.OBERA_BIN) return process.env.OBERA_BIN;
  const built = ["release", "debug"].map((profile) => join(here, "..", "target", profile, "obera")).find((path) => existsSync(path));
  if (!built) throw new Error("No obera binary is built. Build it, or set OBERA_BIN.");
  return built;
}

function ended(child) {
  return new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal ?? 1)));
}

/** A demo in a folder of its own; `stop` ends it and removes the folder. */
async function startDemo(bin, password) {
  const dataDir = mkdtempSync(join(tmpdir(), "obera-e2e-"));
  // Started by root, the demo runs its database as another user, who has to get through this folder.
  chmodSync(dataDir, 0o755);
  const child = spawn(bin, ["demo", "--data-dir", dataDir, "--port", "0", "--customers", "5", "--devices", "250"], {
    env: { ...process.env, OBERA_DEMO_PASSWORD: password },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exit = ended(child);
  let log = "";
  child.stderr.on("data", (chunk) => (log = (log + chunk).slice(-20_000)));
  const stop = async () => {
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
    await exit;
    clearTimeout(late);
    rmSync(dataDir, { recursive: true, force: true });
  };
  const url = await new Promise((resolve, reject) => {
    let out = "";
    const fail = (why) => reject(new Error(`${why}\n${out}\n${log}`));
    const late = setTimeout(() => fail(`the demo was not ready after ${START_MS_MAX} ms`), START_MS_MAX);
    child.stdout.on("data", (chunk) => {
      out += chunk;
      const found = /OberaConnect demo\s+(http:\/\/\S+)/.exec(out);
      if (!found) return;
      clearTimeout(late);
      resolve(found[1]);
    });
    void exit.then((code) => {
      clearTimeout(late);
      fail(`the demo ended with ${code}`);
    });
  }).catch(async (error) => {
    await stop();
    throw error;
  });
  return { url, dataDir, stop, log: () => log };
}

async function runTests(env) {
  const named = process.argv.slice(2);
  const child = spawn(process.execPath, ["--test", "--test-concurrency=1", ...(named.length > 0 ? named : TESTS)], { cwd: here, env: { ...process.env, ...env }, stdio: "inherit" });
  return ended(child);
}

const bin = binary();
if (process.env.OBERA_URL) {
  process.exitCode = await runTests({ OBERA_BIN: bin });
} else {
  const password = `e2e-${randomBytes(12).toString("hex")}`;
  const demo = await startDemo(bin, password);
  try {
    const code = await runTests({ OBERA_URL: demo.url, OBERA_PASSWORD: password, OBERA_DATA_DIR: demo.dataDir, OBERA_BIN: bin });
    if (code !== 0) console.error(`the demo's last words:\n${demo.log().slice(-4_000)}`);
    process.exitCode = code === 0 ? 0 : 1;
  } finally {
    await demo.stop();
  }
}
