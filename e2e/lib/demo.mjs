// A demo of the built product in a folder of its own.
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const START_MS_MAX = 180_000;
const STOP_MS_MAX = 60_000;
const root = fileURLToPath(new URL("../..", import.meta.url));

export function binary() {
  if (process.env.OBERA_BIN) return process.env.OBERA_BIN;
  const built = ["release", "debug"].map((profile) => join(root, "target", profile, "obera")).find((path) => existsSync(path));
  if (!built) throw new Error("No obera binary is built. Build it, or set OBERA_BIN.");
  return built;
}

export function ended(child) {
  return new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal ?? 1)));
}

/** A demo in a folder of its own; `stop` ends it and removes the folder. */
export async function startDemo(bin, password, { customers = 5, devices = 250 } = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), "obera-e2e-"));
  // Started by root, the demo runs its database as another user, who has to get through this folder.
  chmodSync(dataDir, 0o755);
  const child = spawn(bin, ["demo", "--data-dir", dataDir, "--port", "0", "--customers", String(customers), "--devices", String(devices)], {
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

