// A customer's person: the short navigation, their own rows only, and the API refuses the rest, whatever the screens show.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, go, launch, noSidewaysScroll, open, picture, rest, signIn, staffSession, tokenOf } from "./lib/browser.mjs";
import { config } from "./lib/config.mjs";

const PROVIDER_ONLY = ["Alerts", "Customers", "Integrations"];
const OWNED = ["bill_list", "payment_list", "billing_ticket_list", "device_maintenance_list", "alert_mute_list", "device_list", "ticket_list", "incident_list", "alert_list", "runs", "approvals", "sites"];

let browser;
let own;
let foreign;

before(async () => {
  browser = await launch();
  const { token } = await staffSession(browser);
  const { body } = await rest(token, "/rest/v1/customer_list?select=id,slug,name&order=devices.desc&limit=2");
  assert.equal(body.length, 2, "the demo needs two customers");
  [own, foreign] = body;
  foreign.device = (await rest(token, `/rest/v1/device_list?select=id&customer_id=eq.${foreign.id}&limit=1`)).body[0].id;
});
after(() => browser?.close());

test("a portal person sees one customer, on every screen and on a phone", async () => {
  for (const size of ["desktop", "phone"]) {
    const { context, page, complaints } = await open(browser, { size });
    await signIn(page, `portal@${own.slug}.example`);
    if (size === "phone") await page.getByRole("button", { name: "Navigation" }).click();
    const entries = await page.getByRole("navigation", { name: "Main" }).getByRole("link").allInnerTexts();
    for (const label of PROVIDER_ONLY) assert.ok(!entries.some((entry) => entry.startsWith(label)), `${label} is in the portal's navigation`);
    if (size === "phone") await page.keyboard.press("Escape");
    for (const path of ["/", "/devices", "/tickets", "/incidents", "/runs", "/bills", "/bills/payments", "/bills/tickets"]) {
      await go(page, path);
      await noSidewaysScroll(page, `portal ${path}`);
      await accessible(page, `portal ${path}`);
      assert.ok(!(await page.locator("main").innerText()).includes(foreign.name), `${foreign.name} shows on ${path}`);
      await picture(page, `portal${path.replace("/", "-")}-${size}`);
    }
    assert.deepEqual(complaints, []);
    await context.close();
  }
});

test("another customer's record is not there", async () => {
  const { context, page } = await open(browser);
  await signIn(page, `portal@${own.slug}.example`);
  await page.goto(`${config.url}/devices/${foreign.id}/${foreign.device}`);
  await page.getByRole("heading", { name: "No such device" }).waitFor();
  await context.close();
});

test("the API gives a portal person no row of another customer", async () => {
  const { context, page } = await open(browser);
  await signIn(page, `portal@${own.slug}.example`);
  const token = await tokenOf(page);
  for (const table of OWNED) {
    const all = await rest(token, `/rest/v1/${table}?select=customer_id&limit=1000`);
    assert.equal(all.status, 200, table);
    assert.deepEqual([...new Set(all.body.map((row) => row.customer_id))].filter((id) => id !== own.id), [], table);
    const asked = await rest(token, `/rest/v1/${table}?select=customer_id&customer_id=eq.${foreign.id}`);
    assert.deepEqual(asked.body, [], `${table} by the other customer's id`);
  }
  const mine = await rest(token, "/rest/v1/device_list?select=id&limit=1");
  assert.equal(mine.body.length, 1, "the test can only fail when there is something to see");
  for (const name of ["source_list", "integrations", "staff_members"]) {
    const answer = await rest(token, `/rest/v1/${name}?select=*`);
    assert.ok(answer.status >= 400 || answer.body.length === 0, `${name} is readable`);
  }
  const start = await rest(token, "/functions/v1/workflow-executor", {
    method: "POST",
    body: JSON.stringify({ action: "start", customer_id: foreign.id, workflow_key: "incidents.remediate_disk_full", input: {} }),
  });
  assert.ok(start.status === 404 || start.status === 403, `starting a run elsewhere gave ${start.status}`);
  await context.close();
});

test("a portal person opens a ticket and comments; it stays theirs", async () => {
  const { context, page, complaints } = await open(browser);
  await signIn(page, `portal@${own.slug}.example`);
  const subject = `Printer on floor 2 (${Date.now()})`;
  await go(page, "/tickets?new=1");
  await page.getByLabel("Subject").fill(subject);
  await page.getByLabel("Description").fill("It takes paper and prints nothing.");
  await page.getByRole("button", { name: "Open ticket" }).click();
  await page.waitForURL((url) => url.pathname.startsWith(`/tickets/${own.id}/`));
  await page.getByRole("heading", { level: 1, name: subject }).waitFor();
  await page.getByLabel("Comment").fill("It is urgent for the front desk.");
  await page.getByRole("button", { name: "Add comment" }).click();
  await page.locator("ol").getByText("It is urgent for the front desk.").waitFor();
  assert.equal(await page.getByLabel("Internal note").count(), 0);
  assert.equal(await page.getByRole("button", { name: "Close ticket" }).getAttribute("aria-disabled"), "true");
  assert.deepEqual(complaints, []);
  await context.close();
});
