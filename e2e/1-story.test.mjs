// The story of the product, in a browser: a disk runs full, the plan waits for a person, the person approves, the effect is
// read back, the evidence is downloaded. Then the same with a vendor that says "done" and changed nothing.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { accessible, go, launch, open, picture, rest, settled, staffSession, until } from "./lib/browser.mjs";
import { config } from "./lib/config.mjs";
import { trigger } from "./lib/sandbox.mjs";

const RUN_MS = 180_000;

let browser;
let session;
let token;

before(async () => {
  browser = await launch();
  ({ session, token } = await staffSession(browser));
});
after(() => browser?.close());

/** The incident that the illness led to. */
async function incidentAt({ device, customer }, since) {
  const where = `device_name=eq.${encodeURIComponent(device)}&customer_name=eq.${encodeURIComponent(customer)}&opened_at=gte.${encodeURIComponent(since)}`;
  return until(
    `an incident at ${device} of ${customer}`,
    async () => (await rest(token, `/rest/v1/incident_list?select=*&${where}&run_id=not.is.null&order=opened_at.desc&limit=1`)).body[0],
    { withinMs: RUN_MS },
  );
}

async function stateOf(table, customerId, id) {
  return (await rest(token, `/rest/v1/${table}?select=*&customer_id=eq.${customerId}&id=eq.${id}`)).body[0];
}

test("a full disk is freed, with approval and proof", { timeout: RUN_MS * 2 }, async () => {
  const since = new Date(Date.now() - 5_000).toISOString();
  const ill = await trigger("disk-full");
  const incident = await incidentAt(ill, since);
  const { context, page, complaints } = await open(browser, { session });

  await go(page, "/");
  await page.getByRole("link", { name: new RegExp(ill.device) }).first().waitFor();
  await picture(page, "story-1-overview");

  await go(page, `/runs/${incident.customer_id}/${incident.run_id}`);
  const approveButton = page.getByRole("button", { name: /^Approve and run/ });
  await approveButton.waitFor({ timeout: RUN_MS });
  assert.ok((await page.getByRole("list", { name: "The plan" }).getByRole("listitem").count()) > 0, "the plan is a diff");
  await accessible(page, "run that waits");
  await picture(page, "story-2-waiting");

  await approveButton.click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("list", { name: "The plan" }).waitFor();
  await dialog.getByLabel("Note (optional)").fill("The update cache can go.");
  await picture(page, "story-3-approve");
  await dialog.getByRole("button", { name: "Approve and run" }).click();
  await page.getByText(/^Approved\./).waitFor();

  // Nothing is reloaded: the page follows the run by itself.
  await page.getByRole("status").getByText("Verified").waitFor({ timeout: RUN_MS });
  await page.getByRole("list", { name: "Before and after" }).waitFor();
  await picture(page, "story-4-verified", true);
  await accessible(page, "verified run");

  const download = page.getByRole("button", { name: "Download evidence" });
  await download.waitFor();
  const [file] = await Promise.all([page.waitForEvent("download"), download.click()]);
  assert.equal(file.suggestedFilename(), `${incident.run_id}.evidence.jsonl`);
  const lines = readFileSync(await file.path(), "utf8").trim().split("\n").map((line) => JSON.parse(line));
  assert.ok(lines.length > 1, "entries and a manifest");

  const change = (await rest(token, `/rest/v1/changes?select=*&customer_id=eq.${incident.customer_id}&run_id=eq.${incident.run_id}`)).body[0];
  assert.equal(change.state, "verified");
  assert.ok(change.after.facts.disk_used_percent < change.before.facts.disk_used_percent, "the second reading is better than the first");
  const resolved = await until("the incident is resolved", async () => {
    const row = await stateOf("incident_list", incident.customer_id, incident.id);
    return row.state === "resolved" && row;
  });
  const ticket = await until("the ticket is closed", async () => {
    const row = await stateOf("ticket_list", incident.customer_id, resolved.ticket_id);
    return row.state === "closed" && row;
  });
  await go(page, `/tickets/${incident.customer_id}/${ticket.id}`);
  await page.getByRole("button", { name: /^Evidence: verified/ }).waitFor();
  await picture(page, "story-5-ticket");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a vendor that says done and changed nothing is not believed", { timeout: RUN_MS * 3 }, async () => {
  const since = new Date(Date.now() - 5_000).toISOString();
  const ill = await trigger("disk-full", "--lying");
  const incident = await incidentAt(ill, since);
  const { context, page, complaints } = await open(browser, { session });
  await go(page, `/runs/${incident.customer_id}/${incident.run_id}`);
  await page.getByRole("button", { name: /^Approve and run/ }).click({ timeout: RUN_MS });
  await page.getByRole("dialog").getByRole("button", { name: "Approve and run" }).click();
  await page.getByRole("status").getByText("Unverified").waitFor({ timeout: RUN_MS * 2 });
  await picture(page, "story-6-unverified", true);
  await until("the incident needs attention", async () => (await stateOf("incident_list", incident.customer_id, incident.id)).state === "needs_attention");
  await go(page, "/");
  await page.getByText("Unverified").first().waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a rejected plan changes nothing", { timeout: RUN_MS * 2 }, async () => {
  const since = new Date(Date.now() - 5_000).toISOString();
  const ill = await trigger("disk-full");
  const incident = await incidentAt(ill, since);
  const { context, page, complaints } = await open(browser, { session });
  await go(page, `/runs/${incident.customer_id}/${incident.run_id}`);
  await page.getByRole("button", { name: /^Reject/ }).click({ timeout: RUN_MS });
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Reject", exact: true }).click();
  await dialog.getByText("A reason is needed.").waitFor();
  await dialog.getByLabel("Why not?").fill("The customer is working on it.");
  await dialog.getByRole("button", { name: "Reject", exact: true }).click();
  await page.getByRole("status").getByText("Rejected").waitFor({ timeout: RUN_MS });
  const change = (await rest(token, `/rest/v1/changes?select=state,applied_at&customer_id=eq.${incident.customer_id}&run_id=eq.${incident.run_id}`)).body[0];
  assert.equal(change.applied_at, null);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a synchronization shows its progress and its outcome", { timeout: RUN_MS * 2 }, async () => {
  const { context, page, complaints } = await open(browser, { session });
  const [source] = (await rest(token, "/rest/v1/source_list?select=id&vendor=eq.ninjaone&limit=1")).body;
  await go(page, `/integrations/${source.id}`);
  await until("no synchronization is going on", async () => (await page.getByRole("button", { name: "Sync now" }).getAttribute("aria-disabled")) !== "true", { withinMs: RUN_MS });
  await page.getByRole("button", { name: "Full sync" }).click();
  await page.getByText(/synchroni[sz]ation/i).first().waitFor();
  await settled(page);
  await picture(page, "story-7-sync");
  await page.getByRole("heading", { name: "Last synchronization" }).waitFor({ timeout: RUN_MS });
  await page.getByText(/\d+ of \d+ parts/).first().waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});
