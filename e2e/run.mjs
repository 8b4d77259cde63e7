// Runs the tests against OBERA_URL, or starts a small demo of its own and ends it afterwards.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { binary, ended, startDemo } from "./lib/demo.mjs";

const TESTS = ["1-story.test.mjs", "2-console.test.mjs", "3-portal.test.mjs", "4-desk.test.mjs", "5-realtime.test.mjs", "6-storage.test.mjs", "7-api.test.mjs", "8-clients.test.mjs", "8-graph.test.mjs", "9-money.test.mjs", "9-people.test.mjs", "9-identity.test.mjs", "9-configuration.test.mjs", "9-device-facts.test.mjs", "9-maintenance.test.mjs", "9-sources.test.mjs", "9-connect.test.mjs", "9-drift.test.mjs", "9-posture.test.mjs", "9-activity.test.mjs", "9-documents.test.mjs"];
const here = fileURLToPath(new URL(".", import.meta.url));

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
