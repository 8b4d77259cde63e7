// Configuration: items and relationships follow from synchronizations; a person enters one, joins it, finds what it touches, looks back, and removes it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, go, launch, noSidewaysScroll, open, picture, rest, staffSession } from "./lib/browser.mjs";
import { as } from "./lib/sources.mjs";

const STEP_MS = 120_000;
const LINE = "Fiber 200/200";

let browser;
let session;
let token;
let read;
let synchronize;

before(async () => {
  browser = await launch();
  ({ session, token } = await staffSession(browser));
  ({ read, synchronize } = as(token));
});
after(() => browser?.close());

/** A site with machines that people use. */
async function busySite() {
  const [machine] = await read("endpoint_list?select=customer_id,site_id,site_name&site_id=not.is.null&person_id=not.is.null&order=name&limit=1");
  assert.ok(machine, "a machine at a site, with its person");
  return machine;
}

test("every source's rows are items, and rules join them", { timeout: STEP_MS * 2 }, async () => {
  await synchronize("ninjaone");
  await synchronize("microsoft");
  const count = async (path) => (await read(`${path}&select=n:count()`))[0].n;
  for (const [kind, table] of [["endpoint", "endpoint_list?"], ["person", "person_list?"], ["tenant", "tenants?"], ["license", "license_skus?"], ["site", "sites?"], ["customer", "customers?"], ["service", "billing_lines?"]]) {
    const items = await count(`configuration_item_list?kind=eq.${kind}`);
    const rows = await count(table.replace("?", "?customer_id=not.is.null").replace("customers?customer_id", "customers?id"));
    assert.equal(items, kind === "service" ? (await count("configuration_items?kind=eq.service")) + rows : rows, kind);
  }
  const { customer_id: customer, site_id: site } = await busySite();
  const here = await count(`endpoint_list?customer_id=eq.${customer}&site_id=eq.${site}`);
  assert.equal(await count(`configuration_relationship_list?customer_id=eq.${customer}&item_id=eq.${site}&rule=eq.endpoint_at_site&direction=eq.in`), here);
});

test("a person enters what no source reports, and sees what it touches", { timeout: STEP_MS * 2 }, async () => {
  const { customer_id: customer, site_id: site, site_name: siteName } = await busySite();
  const [{ name: customerName }] = await read(`customers?id=eq.${customer}&select=name`);
  const { context, page, complaints } = await open(browser, { session });
  await go(page, "/configuration");
  await page.getByRole("table").getByRole("link").first().waitFor();
  await accessible(page, "configuration items");
  await picture(page, "configuration-1-items");
  await page.getByRole("button", { name: "Enter an item" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Customer").selectOption({ label: customerName });
  await dialog.getByLabel("Kind").selectOption("circuit");
  await dialog.getByLabel("Name", { exact: true }).fill(LINE);
  await dialog.getByRole("button", { name: "Add an attribute" }).click();
  await dialog.getByLabel("Name of attribute 1").fill("Provider");
  await dialog.getByLabel("Value of attribute 1").fill("Northern Telecom");
  await accessible(page, "the entry of an item");
  await picture(page, "configuration-2-entry");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { level: 1, name: LINE }).waitFor();

  await page.getByRole("button", { name: "Enter a relationship" }).click();
  await dialog.getByLabel(`${LINE}…`).selectOption({ label: "needed by" });
  await dialog.getByLabel("Find the other item").fill(siteName);
  const option = dialog.getByLabel("Other item", { exact: true }).locator("option", { hasText: `${siteName} · Site` });
  await option.first().waitFor({ state: "attached" });
  await dialog.getByLabel("Other item", { exact: true }).selectOption(site);
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByRole("region", { name: /Needed by/ }).getByRole("link", { name: siteName }).waitFor();
  const machines = (await read(`endpoint_list?customer_id=eq.${customer}&site_id=eq.${site}&select=id`)).length;
  await page.getByText(new RegExp(`If it fails, this is touched:.*\\b${machines} endpoints?`)).waitFor();
  await page.getByText("Northern Telecom").waitFor();
  assert.deepEqual(complaints, []);
  const [item] = await read(`configuration_items?name=eq.${encodeURIComponent(LINE)}&select=id`);
  for (const look of [{}, { dark: true }, { size: "phone" }]) {
    const other = await open(browser, { session, ...look });
    for (const [name, id, words] of [["entered", item.id, LINE], ["site", site, siteName]]) {
      await go(other.page, `/configuration/${customer}/${id}`);
      await other.page.getByRole("heading", { level: 2, name: "Impact" }).waitFor();
      await other.page.getByText(words).first().waitFor();
      await accessible(other.page, `${name} ${JSON.stringify(look)}`);
      await noSidewaysScroll(other.page, name);
      await picture(other.page, `configuration-3-${name}${look.dark ? "-dark" : ""}${look.size ? "-phone" : ""}`, true);
    }
    assert.deepEqual(other.complaints, []);
    await other.context.close();
  }
  await context.close();
});

test("what was entered stays over a synchronization, and is seen as it was after a change", { timeout: STEP_MS * 2 }, async () => {
  const [item] = await read(`configuration_items?name=eq.${encodeURIComponent(LINE)}&select=customer_id,id`);
  await synchronize("ninjaone");
  assert.equal((await read(`configuration_items?id=eq.${item.id}&select=name`))[0].name, LINE);
  const { context, page, complaints } = await open(browser, { session });
  await go(page, `/configuration/${item.customer_id}/${item.id}`);
  await page.getByRole("button", { name: "Edit" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).fill("Fiber 1000/1000");
  const before = new Date().toISOString();
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { level: 1, name: "Fiber 1000/1000" }).waitFor();
  const changes = page.locator("#history");
  await changes.getByText(LINE).waitFor();
  await changes.getByText(/by /).first().waitFor();
  await picture(page, "configuration-4-changes", true);
  const { body: then } = await rest(token, "/rest/v1/rpc/as_of", { method: "POST", body: JSON.stringify({ p_kind: "item", p_customer: item.customer_id, p_id: item.id, p_at: before }) });
  assert.equal(then.outcome, "known");
  assert.equal(then.state.name, LINE);
  // Before it was entered nobody knew of it; the page says so.
  await changes.getByLabel("Show as of").fill("2020-01-01T10:00");
  await changes.getByText("It was not known then").waitFor();
  await accessible(page, "an item as it was");
  await page.getByRole("button", { name: "Remove…" }).click();
  await dialog.getByRole("button", { name: "Remove", exact: true }).click();
  await page.waitForURL((url) => url.pathname === "/configuration");
  assert.deepEqual(await read(`configuration_items?id=eq.${item.id}&select=id`), []);
  assert.deepEqual(await read(`configuration_relationships?or=(from_id.eq.${item.id},to_id.eq.${item.id})&select=id`), []);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("records show what each fact rests on and how they changed", { timeout: STEP_MS }, async () => {
  const [person] = await read("person_list?select=customer_id,id,display_name&order=display_name&limit=1");
  const [tenant] = await read("tenant_list?select=customer_id,id,name&order=name&limit=1");
  const [machine] = await read("endpoint_list?select=customer_id,id,name&sources=cs.{ninjaone,intune}&order=name&limit=1");
  const { context, page, complaints } = await open(browser, { session });
  for (const [area, row, name] of [["people", person, "person"], ["tenants", tenant, "tenant"]]) {
    await go(page, `/${area}/${row.customer_id}/${row.id}`);
    await page.getByRole("heading", { level: 2, name: "What each fact rests on" }).waitFor();
    await page.locator("section", { has: page.getByRole("heading", { level: 2, name: "What each fact rests on" }) }).getByText(/Microsoft 365/).first().waitFor();
    await page.getByRole("heading", { level: 2, name: "Changes", exact: true }).waitFor();
    await accessible(page, name);
    await picture(page, `configuration-5-${name}`, true);
    await page.getByRole("link", { name: "Relationships" }).click();
    await page.getByRole("heading", { level: 2, name: "Impact" }).waitFor();
  }
  await go(page, `/configuration/${machine.customer_id}/${machine.id}`);
  await page.getByRole("region", { name: /Known to Intune as/ }).waitFor();
  await accessible(page, "a machine as an item");
  await picture(page, "configuration-6-machine", true);
  assert.deepEqual(complaints, []);
  await context.close();
});
