// Calls every operation of the OpenAPI document with made-up input, as technicians, as people of customers and as nobody:
// what the document does not declare (a status, a content type, a shape) is a finding, and so is every 5xx.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { binary, ended, startDemo } from "../lib/demo.mjs";
import { triggerAt } from "../lib/sandbox.mjs";

const MINUTES_MAX = Number(process.env.LONG_MINUTES ?? 6);
const CALLS_PER_OPERATION_MAX = 20_000;
const ANSWER_S_MAX = 40;
const WAIT_MS_MAX = 180_000;
// A person may call a few times a second; so many of each kind take turns, and no limit of rate is in the way.
const PEOPLE = 40;
const INCIDENTS = 4;
const CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,unsupported_method,negative_data_rejection,within_the_limits";
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

async function until(what, look) {
  const end = Date.now() + WAIT_MS_MAX;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${WAIT_MS_MAX} ms`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function rows(url, token, query) {
  const answer = await fetch(`${url}/rest/v1/${query}`, { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`${query}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** A technician, made as an administrator makes one. */
async function addTechnician(bin, dataDir, email, password) {
  const child = spawn(bin, ["--data-dir", dataDir, "user", "add", "--email", email, "--name", "Made Up"], { stdio: ["pipe", "ignore", "inherit"] });
  child.stdin.end(`${password}\n`);
  const code = await ended(child);
  if (code !== 0) throw new Error(`user add: ${code}`);
}

/** Ids that belong together: incidents that wait for approval, and for the rest a customer. */
async function places(url, token, demo) {
  for (let ill = 0; ill < INCIDENTS; ill += 1) await triggerAt(binary(), demo.dataDir, "disk-full");
  const approvals = await until("approvals", async () => {
    const found = await rows(url, token, "approvals?select=id,customer_id,run_id&state=eq.waiting");
    return found.length >= INCIDENTS && found;
  });
  const [source] = await rows(url, token, "source_list?select=id&vendor=eq.ninjaone");
  const workflows = await rows(url, token, "workflows?select=key");
  const common = (index) => ({ integration_id: source.id, workflow_key: workflows[index % workflows.length].key });
  const found = [];
  for (const [index, { id, customer_id, run_id }] of approvals.entries()) {
    const [incident] = await rows(url, token, `incidents?select=id&customer_id=eq.${customer_id}&run_id=eq.${run_id}`);
    const [ticket] = await rows(url, token, `tickets?select=id&customer_id=eq.${customer_id}&incident_id=eq.${incident.id}`);
    found.push({ customer_id, run_id, approval_id: id, incident_id: incident.id, ticket_id: ticket.id, ...common(index) });
  }
  const customers = await rows(url, token, "customers?select=id&order=slug&limit=10");
  return found.concat(customers.map(({ id }, index) => ({ customer_id: id, ...common(index) })));
}

/** Its exit code; its words on the terminal. */
function schemathesis(url, who, known, folder) {
  const report = join(out, who);
  mkdirSync(report, { recursive: true });
  const path = join(folder, `${who}.json`);
  writeFileSync(path, JSON.stringify(known), { mode: 0o600 });
  const args = ["run", `${url}/openapi.json`, "--url", url, "--phases", "examples,coverage,fuzzing", "--checks", CHECKS];
  args.push("--max-examples", String(CALLS_PER_OPERATION_MAX), "--max-time", String(Math.ceil((MINUTES_MAX * 60) / 3)), "--continue-on-failure");
  args.push("--request-timeout", String(ANSWER_S_MAX), "--suppress-health-check", "all", "--warnings", "off");
  args.push("--report", "junit", "--report-dir", report);
  const env = { ...process.env, SCHEMATHESIS_HOOKS: "hooks", PYTHONPATH: here, PYTHONDONTWRITEBYTECODE: "1", OBERA_KNOWN: path };
  return ended(spawn(join(here, ".venv/bin/schemathesis"), args, { cwd: folder, env, stdio: "inherit" }));
}

const password = `long-${randomBytes(12).toString("hex")}`;
const folder = mkdtempSync(join(tmpdir(), "obera-openapi-"));
const demo = await startDemo(binary(), password, { customers: PEOPLE, devices: PEOPLE * 10 });
const { url } = demo;
let failed = 0;
try {
  await until("the demo is ready", async () => (await fetch(`${url}/readyz`)).ok);
  const owner = await signIn(url, "owner@msp.example", password);
  const found = await places(url, owner, demo);
  const technicians = Array.from({ length: PEOPLE }, (_, index) => `technician-${index}@msp.example`);
  for (const email of technicians) await addTechnician(binary(), demo.dataDir, email, password);
  const portal = (await rows(url, owner, "customers?select=slug&order=slug")).map(({ slug }) => `portal@${slug}.example`);
  for (const [who, emails] of [["technicians", technicians], ["portal", portal], ["nobody", []]]) {
    console.log(`\n== ${who}`);
    const tokens = [];
    for (const email of emails) tokens.push(await signIn(url, email, password));
    if ((await schemathesis(url, who, { tokens, places: found }, folder)) !== 0) failed += 1;
  }
  const calls = await rows(url, owner, "function_calls?select=function,status,count()&order=function,status");
  console.log(`\nCalls written down, by answer: ${calls.map((row) => `${row.function} ${row.status}: ${row.count}`).join(", ")}`);
  if (failed > 0) writeFileSync(join(out, "server.log"), demo.log());
} finally {
  await demo.stop();
  rmSync(folder, { recursive: true, force: true });
}
console.log(failed === 0 ? "\nNothing was found." : `\nFindings for ${failed} of 3; reports and the server's words are in e2e/out/openapi.`);
process.exitCode = failed === 0 ? 0 : 1;
