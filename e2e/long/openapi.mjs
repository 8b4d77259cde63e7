// Calls every operation of the OpenAPI document with made-up input, as a technician, as a customer's person and as nobody:
// what the document does not declare (a status, a content type, a shape) is a finding, and so is every 5xx.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { binary, ended, startDemo } from "../lib/demo.mjs";

const MINUTES_MAX = Number(process.env.LONG_MINUTES ?? 6);
const CALLS_PER_OPERATION_MAX = 2_000;
const ANSWER_S_MAX = 40;
const READY_MS_MAX = 60_000;
const CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,unsupported_method";
const here = fileURLToPath(new URL(".", import.meta.url));
const out = join(here, "..", "out", "openapi");

async function signIn(url, email, password) {
  const answer = await fetch(`${url}/auth/v1/token?grant_type=password`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password }),
  });
  if (!answer.ok) throw new Error(`${email} cannot sign in: ${answer.status} ${await answer.text()}`);
  return (await answer.json()).access_token;
}

/** All APIs answer: the data API reads its catalog after the first word of the demo. */
async function ready(url) {
  const end = Date.now() + READY_MS_MAX;
  while (!(await fetch(`${url}/readyz`)).ok) {
    if (Date.now() > end) throw new Error("the demo is not ready");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A person of a customer, as the data API names them. */
async function portalEmail(url, token) {
  const answer = await fetch(`${url}/rest/v1/customers?select=slug&order=slug&limit=1`, { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`no customers: ${answer.status} ${await answer.text()}`);
  const [customer] = await answer.json();
  return `portal@${customer.slug}.example`;
}

/** Its exit code; its words on the terminal. */
function schemathesis(url, who, token, folder) {
  const report = join(out, who);
  mkdirSync(report, { recursive: true });
  const args = ["run", `${url}/openapi.json`, "--url", url, "--phases", "examples,coverage,fuzzing", "--checks", CHECKS];
  args.push("--max-examples", String(CALLS_PER_OPERATION_MAX), "--max-time", String(Math.ceil((MINUTES_MAX * 60) / 3)), "--continue-on-failure");
  args.push("--request-timeout", String(ANSWER_S_MAX), "--suppress-health-check", "all", "--warnings", "off");
  args.push("--report", "junit", "--report-dir", report);
  if (token) args.push("--header", `authorization: Bearer ${token}`, "--header", "apikey: console");
  return ended(spawn(join(here, ".venv/bin/schemathesis"), args, { cwd: folder, stdio: "inherit" }));
}

const password = `long-${randomBytes(12).toString("hex")}`;
const folder = mkdtempSync(join(tmpdir(), "obera-openapi-"));
const demo = await startDemo(binary(), password);
let failed = 0;
try {
  await ready(demo.url);
  const owner = await signIn(demo.url, "owner@msp.example", password);
  const portal = await portalEmail(demo.url, owner);
  for (const [who, email] of [["technician", "technician@msp.example"], ["portal", portal], ["nobody", null]]) {
    console.log(`\n== ${who}`);
    const token = email ? await signIn(demo.url, email, password) : null;
    if ((await schemathesis(demo.url, who, token, folder)) !== 0) failed += 1;
  }
  if (failed > 0) writeFileSync(join(out, "server.log"), demo.log());
} finally {
  await demo.stop();
  rmSync(folder, { recursive: true, force: true });
}
console.log(failed === 0 ? "\nNothing was found." : `\nFindings for ${failed} of 3; reports and the server's words are in e2e/out/openapi.`);
process.exitCode = failed === 0 ? 0 : 1;
