// Count truth in money: the planted mistakes of the billing system are found to the cent; one is corrected through an approval
// and closes with the bill that carries it, one is ignored for a time, a rule's effect is seen before it is saved, a month is signed off.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, go, launch, noSidewaysScroll, open, picture, rest, settled, staffSession, until } from "./lib/browser.mjs";
import { advance, control } from "./lib/sandbox.mjs";
import { as } from "./lib/sources.mjs";

const STEP_MS = 120_000;
/** What is counted and what is billed. */
const BOTH = ["ninjaone", "microsoft", "revio"];
/** A month begins within them. */
const DAYS = 32;
/** Customers that one side does not know stay passed over. */
const NOT_KNOWN = ["no account of the billing system is mapped to this customer", "no tenant is mapped to this customer"];
const OF_DIFFERENCE = "select=id,customer_id,customer_name,product_name,line_id,line_ref,counted,billed,money_per_month,state,close_reason,direction,cause_kind,money_so_far,committed_until,committed_quantity";

let browser;
let session;
let token;
let read;
let post;
let sourceOf;
let synchronize;

before(async () => {
  browser = await launch();
  ({ session, token } = await staffSession(browser));
  ({ read, post, sourceOf, synchronize } = as(token));
});
after(() => browser?.close());

/** A full reading of both sources that began after this call, then a comparison that left nobody out. */
async function readAndCompare() {
  for (const vendor of BOTH) {
    const ended = await synchronize(vendor);
    assert.equal(ended.state, "complete", JSON.stringify(ended.error));
  }
  let passedOver;
  return until("a comparison that passed over nobody who can be compared", async () => {
    const { status, body } = await post("reconcile", { action: "run" });
    // One at a time: those after a synchronization come by themselves.
    if (status === 409) return null;
    assert.equal(status, 200, JSON.stringify(body));
    passedOver = body.skipped.filter((one) => !NOT_KNOWN.includes(one.reason));
    return passedOver.length === 0 ? body : null;
  }, { withinMs: STEP_MS, say: () => JSON.stringify(passedOver) });
}

/** The customer at this place gets more devices than its line says. */
async function addDevices(place) {
  const [line] = await read(`billing_line_list?select=customer_id&is_active=is.true&product_name=eq.Managed%20workstation&order=customer_name&offset=${place}&limit=1`);
  assert.ok(line, "a customer with a line for workstations");
  const ninja = await sourceOf("ninjaone");
  const [organization] = await read(`integration_organizations?select=external_id&integration_id=eq.${ninja.id}&customer_id=eq.${line.customer_id}&limit=1`);
  await control("/devices/add", { organization_id: Number(organization.external_id), count: 30 });
}

/** What a vendor calls the customers that somebody mapped. */
async function mapped(vendor) {
  const source = await sourceOf(vendor);
  return new Set((await read(`integration_organizations?select=external_id&integration_id=eq.${source.id}&customer_id=not.is.null`)).map((row) => row.external_id));
}

const committed = (it) => (it.committed_until ? `, ${Number(it.committed_quantity)} committed until ${it.committed_until.slice(0, 10)}` : "");

/** Every planted mistake of a mapped customer, in the words of our list. */
async function planted() {
  const { billing_mistakes: mistakes, tenants } = await control("/truth");
  const [accounts, mappedTenants] = [await mapped("revio"), await mapped("microsoft")];
  const tenantOf = (mistake) => tenants.find((tenant) => tenant.organization_id === mistake.organization_id)?.tenant_id;
  return mistakes
    .filter((mistake) => accounts.has(String(mistake.revio_customer_id)) && (mistake.counts === "devices" || mappedTenants.has(tenantOf(mistake))))
    .map((mistake) => `${mistake.product}: ${Number(mistake.counted_quantity)} counted, ${Number(mistake.billed_quantity)} billed, ${mistake.direction} ${Number(mistake.money_per_month).toFixed(2)}${committed(mistake)}`)
    .sort();
}

async function found() {
  const rows = await read(`difference_list?state=neq.closed&${OF_DIFFERENCE}`);
  return rows.map((row) => `${row.product_name}: ${row.counted} counted, ${row.billed} billed, ${row.direction} ${Math.abs(row.money_per_month).toFixed(2)}${committed(row)}`).sort();
}

test("every planted mistake is found, and nothing else", { timeout: STEP_MS * 3 }, async () => {
  await addDevices(0);
  await readAndCompare();
  const expected = await planted();
  assert.ok(expected.length > 0, "there is something to find");
  assert.deepEqual(await found(), expected);
});

test("what is committed goes down only when somebody lets it go", { timeout: STEP_MS * 4 }, async () => {
  // Devices of a customer whose line has a contract are gone.
  const [line] = await read(`billing_line_list?select=customer_id&is_active=is.true&product_name=eq.Managed%20workstation&quantity=gt.1&contract_end_at=gt.${new Date().toISOString()}&order=customer_name&limit=1`);
  assert.ok(line, "a line with a contract");
  const ninja = await sourceOf("ninjaone");
  const [organization] = await read(`integration_organizations?select=external_id&integration_id=eq.${ninja.id}&customer_id=eq.${line.customer_id}&limit=1`);
  const at = { organization_id: Number(organization.external_id) };
  const [under] = await read(`difference_list?state=eq.open&direction=eq.under&customer_id=eq.${line.customer_id}&product_name=eq.Managed%20workstation&select=difference`);
  await control("/devices/remove", { ...at, count: Number(under?.difference ?? 0) + 2 });
  await readAndCompare();
  const [row] = await read(`difference_list?state=eq.open&direction=eq.over&customer_id=eq.${line.customer_id}&line_id=not.is.null&committed_until=not.is.null&limit=1&${OF_DIFFERENCE}`);
  assert.ok(row, "a line with a contract is too high");
  const day = row.committed_until.slice(0, 10);
  const refused = await post("reconcile", { action: "approve", customer_id: row.customer_id, difference_id: row.id, proration: "none" });
  assert.equal(refused.status, 409, JSON.stringify(refused.body));
  assert.match(refused.body.message, new RegExp(`committed until ${day}`));
  const { context, page, complaints } = await open(browser, { session });
  await go(page, "/differences");
  await page.getByRole("columnheader", { name: "Committed until" }).waitFor();
  await go(page, `/differences/${row.customer_id}/${row.id}`);
  await page.getByText(`Committed until ${day}:`).waitFor();
  await page.getByText("So far this month").waitFor();
  await settled(page);
  await accessible(page, "a committed difference");
  await picture(page, "money-10-committed");
  await page.getByRole("button", { name: "Correct the line…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("The running month").selectOption("none");
  const prepare = dialog.getByRole("button", { name: "Prepare the change" });
  assert.equal(await prepare.getAttribute("aria-disabled"), "true", "nobody lets it go by accident");
  await dialog.getByLabel(`Type ${day} to let it go early`).fill(day);
  assert.notEqual(await prepare.getAttribute("aria-disabled"), "true");
  await accessible(page, "letting a commitment go");
  await picture(page, "money-11-let-go");
  await dialog.getByRole("button", { name: "Back" }).click();
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a difference is corrected through an approval and closes with the bill that carries it", { timeout: STEP_MS * 5 }, async () => {
  const [row] = await read(`difference_list?state=eq.open&direction=eq.under&line_id=not.is.null&order=money_per_month.desc&limit=1&${OF_DIFFERENCE}`);
  assert.ok(row, "there is a line to correct");
  const { context, page, complaints } = await open(browser, { session });
  await go(page, "/differences");
  await picture(page, "money-1-differences");
  await page.getByRole("row").filter({ hasText: row.customer_name }).filter({ hasText: row.product_name }).getByRole("link").first().click();
  await page.getByRole("heading", { level: 1, name: new RegExp(`^${row.product_name}: `) }).waitFor();
  await settled(page);
  await accessible(page, "a difference");
  await picture(page, "money-2-difference");
  for (const look of [{ dark: true }, { size: "phone" }]) {
    const other = await open(browser, { session, ...look });
    await go(other.page, `/differences/${row.customer_id}/${row.id}`);
    await noSidewaysScroll(other.page, "a difference");
    await picture(other.page, `money-2-difference-${look.dark ? "dark" : "phone"}`, true);
    await go(other.page, "/differences");
    await picture(other.page, `money-1-differences-${look.dark ? "dark" : "phone"}`, true);
    await other.context.close();
  }

  await page.getByRole("button", { name: "Correct the line…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("The running month").selectOption("none");
  await accessible(page, "the correction of a line");
  await picture(page, "money-3-correct");
  await dialog.getByRole("button", { name: "Prepare the change" }).click();
  await page.waitForURL((url) => url.pathname.startsWith("/runs/"));
  await page.getByRole("button", { name: /^Approve and run/ }).first().click({ timeout: STEP_MS });
  await picture(page, "money-4-approve");
  await page.getByRole("dialog").getByRole("button", { name: "Approve and run" }).click();
  const state = async () => (await read(`difference_list?id=eq.${row.id}&select=state,state_text,close_reason,bill_number`))[0];
  await until("the change is read back", async () => (await state()).state === "waiting_for_invoice", { withinMs: STEP_MS });
  const [{ quantity }] = await read(`billing_lines?id=eq.${row.line_id}&select=quantity`);
  assert.equal(quantity, row.counted, "the line that was read back");
  await page.getByText("Verified").first().waitFor();
  await picture(page, "money-5-verified");

  // The next month's bill carries the new quantity; nothing before it closes the difference.
  await readAndCompare();
  assert.equal((await state()).state, "waiting_for_invoice");
  await advance(DAYS);
  await readAndCompare();
  await until("the bill is found", async () => (await state()).close_reason === "invoiced", { withinMs: STEP_MS });
  await go(page, `/differences/${row.customer_id}/${row.id}`);
  await page.getByText(/carries it/).first().waitFor();
  await picture(page, "money-6-closed");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a difference is ignored with a reason, and opened again", { timeout: STEP_MS * 3 }, async () => {
  await addDevices(1);
  await readAndCompare();
  const [row] = await read(`difference_list?state=eq.open&limit=1&${OF_DIFFERENCE}`);
  assert.ok(row, "there is something to ignore");
  const { context, page, complaints } = await open(browser, { session });
  await go(page, `/differences/${row.customer_id}/${row.id}`);
  await page.getByRole("button", { name: "Ignore…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Ignore" }).click();
  await dialog.getByText("A reason is needed.").waitFor();
  await dialog.getByLabel("Why is it right as it is?").fill("Agreed with the customer until spring.");
  await dialog.getByRole("button", { name: "Ignore" }).click();
  await page.getByText("Agreed with the customer until spring.").waitFor();
  await picture(page, "money-7-ignored");
  await page.getByRole("button", { name: "Open it again" }).click();
  await page.getByRole("button", { name: "Ignore…" }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a rule is saved only after its effect was seen", { timeout: STEP_MS }, async () => {
  const { context, page, complaints } = await open(browser, { session });
  await go(page, "/count-rules");
  await page.getByRole("button", { name: "New rule" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Backup for servers");
  await dialog.getByLabel("Product").selectOption({ label: await dialog.getByLabel("Product").locator("option", { hasText: "Backup storage" }).innerText() });
  await dialog.getByLabel("Server").check();
  assert.equal(await dialog.getByRole("button", { name: "Save" }).getAttribute("aria-disabled"), "true");
  await dialog.getByRole("button", { name: "Show the effect" }).click();
  await dialog.getByRole("region", { name: "Effect" }).waitFor();
  await accessible(page, "the effect of a rule");
  await picture(page, "money-8-effect");
  await dialog.getByLabel("Times").fill("2");
  assert.equal(await dialog.getByRole("button", { name: "Save" }).getAttribute("aria-disabled"), "true", "the effect of something else was seen");
  await dialog.getByLabel("Times").fill("1");
  await dialog.getByLabel(/^Compare with this rule/).uncheck();
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByRole("row").filter({ hasText: "Backup for servers" }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a month is signed off once, with what was left", { timeout: STEP_MS }, async () => {
  const { context, page, complaints } = await open(browser, { session });
  await go(page, "/month-closes");
  await page.getByRole("button", { name: "Close a month…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Note").fill("Known and agreed.");
  await dialog.getByRole("button", { name: "Sign off" }).click();
  await page.getByRole("table").getByRole("link").first().click();
  await page.getByRole("heading", { level: 1, name: /^Billing of / }).waitFor();
  await page.getByText("Known and agreed.").waitFor();
  await accessible(page, "a closed month");
  await picture(page, "money-9-month");
  assert.deepEqual(complaints, []);
  await context.close();
  const [closed] = await read("month_closes?select=id,month&limit=1");
  const again = await rest(token, "/rest/v1/month_closes", { method: "POST", body: JSON.stringify({ month: closed.month, note: "Once more." }) });
  assert.equal(again.status, 409);
  const changed = await rest(token, `/rest/v1/month_closes?id=eq.${closed.id}`, { method: "PATCH", body: JSON.stringify({ note: "Something else." }) });
  assert.ok(changed.status === 403 || changed.status === 401, `${changed.status}`);
});
