// The everyday acts of the provider's people: map an organization, work a ticket, acknowledge, try dry, cancel, read messages.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { go, launch, open, picture, rest, settled, staffSession, until } from "./lib/browser.mjs";
import { config } from "./lib/config.mjs";
import { trigger } from "./lib/sandbox.mjs";

const WAIT_MS = 120_000;

let browser;
let session;
let token;

before(async () => {
  browser = await launch();
  ({ session, token } = await staffSession(browser));
});
after(() => browser?.close());

const read = async (path) => (await rest(token, `/rest/v1/${path}`)).body;

test("an unmapped organization becomes a new customer, and its devices arrive", { timeout: WAIT_MS * 2 }, async () => {
  const [source] = await read("source_list?select=id&vendor=eq.ninjaone&limit=1");
  const [unmapped] = await read(`integration_organizations?select=*&integration_id=eq.${source.id}&customer_id=is.null&missing_since=is.null&limit=1`);
  assert.ok(unmapped, "the demo has an unmapped organization");
  const { context, page, complaints } = await open(browser, { session });
  await go(page, `/integrations/${unmapped.integration_id}`);
  await page.getByRole("button", { name: `Map ${unmapped.name} to a customer` }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Customer").selectOption({ label: "New customer…" });
  assert.equal(await dialog.getByLabel("Name").inputValue(), unmapped.name);
  await picture(page, "desk-map");
  await dialog.getByRole("button", { name: "Save mapping" }).click();
  await page.getByRole("button", { name: `Change the customer of ${unmapped.name}` }).waitFor();
  const customer = await until("the mapping is stored", async () => (await read(`integration_organizations?select=customer_id&integration_id=eq.${unmapped.integration_id}&external_id=eq.${unmapped.external_id}`))[0]?.customer_id);
  await page.getByRole("button", { name: "Full sync" }).click();
  await until("its devices are there", async () => (await read(`device_list?select=id&customer_id=eq.${customer}&limit=1`)).length > 0, { withinMs: WAIT_MS });
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a ticket is opened, assigned, answered, written to the vendor and closed for good", { timeout: WAIT_MS }, async () => {
  const [device] = await read("device_list?select=id,customer_id,name&class=eq.server&order=name&limit=1");
  const { context, page, complaints } = await open(browser, { session });
  const subject = `Backup window is too short (${Date.now()})`;
  await go(page, `/devices/${device.customer_id}/${device.id}`);
  await page.getByRole("link", { name: "New ticket" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Open ticket" }).click();
  await dialog.getByText("Say in a few words what is wrong.").waitFor();
  await dialog.getByLabel("Subject").fill(subject);
  await dialog.getByLabel("Priority").selectOption("p2");
  await dialog.getByRole("button", { name: "Open ticket" }).click();
  await page.getByRole("heading", { level: 1, name: subject }).waitFor();
  await page.getByRole("link", { name: device.name }).waitFor();

  await page.getByLabel("Assigned to").selectOption({ index: 1 });
  await page.getByText(/^Assigned to/).first().waitFor();
  await page.getByLabel("Internal note").check();
  await page.getByLabel("Comment").fill("The window starts before the export ends.");
  await page.getByRole("button", { name: "Add note" }).click();
  await page.getByText("wrote an internal note").waitFor();

  await page.getByRole("button", { name: "Write it there" }).click();
  await page.getByRole("button", { name: "Read its state" }).waitFor();

  await page.getByRole("button", { name: "Close ticket" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Close ticket" }).click();
  await page.getByText("A reason is needed.").waitFor();
  await page.getByRole("dialog").getByLabel("Resolution").fill("The window starts an hour later now.");
  await page.getByRole("dialog").getByRole("button", { name: "Close ticket" }).click();
  await page.getByText("The ticket is closed.").waitFor();
  await until("the page shows it closed", async () => (await page.getByRole("button", { name: "Close ticket" }).getAttribute("aria-disabled")) === "true");
  await picture(page, "desk-closed");
  const [row] = await read(`ticket_list?select=state,priority,first_response_at&subject=eq.${encodeURIComponent(subject)}`);
  assert.deepEqual({ state: row.state, priority: row.priority, answered: row.first_response_at !== null }, { state: "closed", priority: "p2", answered: true });
  assert.deepEqual(complaints, []);
  await context.close();
});

test("an alert is acknowledged, a dry run changes nothing, a waiting run is canceled", { timeout: WAIT_MS * 3 }, async () => {
  const since = new Date(Date.now() - 5_000).toISOString();
  const ill = await trigger("service-stopped");
  const incident = await until(
    "the incident",
    async () => (await read(`incident_list?select=*&device_name=eq.${encodeURIComponent(ill.device)}&customer_name=eq.${encodeURIComponent(ill.customer)}&opened_at=gte.${encodeURIComponent(since)}&limit=1`))[0],
    { withinMs: WAIT_MS },
  );
  const { context, page, complaints } = await open(browser, { session });
  await go(page, `/alerts?state=open&q=${encodeURIComponent(ill.device)}`);
  await page.getByRole("button", { name: /^Acknowledge/ }).first().click();
  await page.getByText(/^Acknowledged\./).waitFor();
  assert.equal((await read(`alert_list?select=state&id=eq.${incident.alert_id}`))[0].state, "acknowledged");

  const run = await until("its run waits or ended", async () => {
    const [row] = await read(`incident_list?select=run_id,run_state&id=eq.${incident.id}`);
    return row.run_state === "waiting" && row;
  }, { withinMs: WAIT_MS });
  await go(page, `/runs/${incident.customer_id}/${run.run_id}`);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").getByLabel("Why?").fill("It is done by hand.");
  await page.getByRole("dialog").getByRole("button", { name: "Cancel the run" }).click();
  await page.getByRole("status").getByText("Canceled").waitFor({ timeout: WAIT_MS });

  await go(page, `/incidents/${incident.customer_id}/${incident.id}`);
  await page.getByRole("button", { name: "Dry run" }).click();
  await page.getByText("Dry run: changes nothing").waitFor();
  await page.getByRole("list", { name: "The plan" }).waitFor({ timeout: WAIT_MS });
  await picture(page, "desk-dry-run");
  const id = new URL(page.url()).pathname.split("/").at(-1);
  const ended = await until("the dry run ended", async () => {
    const [row] = await read(`runs?select=state,dry_run&id=eq.${id}`);
    return row.state === "ended" && row;
  }, { withinMs: WAIT_MS });
  assert.equal(ended.dry_run, true);
  assert.equal((await read(`changes?select=applied_at&run_id=eq.${id}`))[0].applied_at, null);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("messages arrive, lead to their place and are read", { timeout: WAIT_MS }, async () => {
  const { context, page, complaints } = await open(browser, { session });
  await go(page, "/");
  const bell = page.getByRole("button", { name: /^Notifications/ });
  await until("a message is unread", async () => /unread/.test((await bell.getAttribute("aria-label")) ?? ""), { withinMs: WAIT_MS });
  await bell.click();
  const inbox = page.getByRole("dialog");
  await inbox.getByRole("listitem").first().waitFor();
  await picture(page, "desk-inbox");
  await inbox.getByRole("button", { name: "Mark all as read" }).click();
  await until("nothing is unread", async () => (await read("notifications?select=id&read_at=is.null")).length === 0);
  await inbox.getByRole("listitem").first().getByRole("button").click();
  await page.waitForURL((url) => url.pathname !== "/");
  await settled(page);
  assert.equal(await page.getByRole("heading", { level: 1, name: /^(No such|There is no)/ }).count(), 0, `the message leads nowhere: ${page.url()}`);
  assert.deepEqual(complaints, []);
  await context.close();
});
