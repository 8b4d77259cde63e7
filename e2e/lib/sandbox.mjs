// Makes a device of the running demo ill, as `obera sandbox trigger` does for a person.
import { execFile } from "node:child_process";
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
