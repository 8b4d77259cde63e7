// One estate: machines of the RMM and Intune are those that were planted; a technician decides what no rule can, and it stays.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, go, launch, noSidewaysScroll, open, picture, staffSession, until } from "./lib/browser.mjs";
import { control } from "./lib/sandbox.mjs";
import { as } from "./lib/sources.mjs";

const STEP_MS = 120_000;
const REASON = "The label under the lid says so.";

let browser;
let session;
let read;
let synchronize;

before(async () => {
  browser = await launch();
  const signed = await staffSession(browser);
  session = signed.session;
  ({ read, synchronize } = as(signed.token));
});
after(() => browser?.close());

test("what waits for a person is what was planted", { timeout: STEP_MS * 2 }, async () => {
  await synchronize("ninjaone");
  await synchronize("microsoft");
  const { endpoints, tenants } = await control("/truth");
  const known = new Set((await read("tenant_list?select=external_id&missing_since=is.null")).map((row) => row.external_id));
  const mapped = new Set(tenants.filter((row) => known.has(row.tenant_id) && row.consent).map((row) => row.organization_id));
  const planted = endpoints.filter((row) => mapped.has(row.organization_id) && row.intune_ids.length > 0);
  const kinds = { conflict: "serial_and_name", same_name: "same_name" };
  const count = (rows, of) => rows.reduce((sums, row) => ({ ...sums, [of(row)]: (sums[of(row)] ?? 0) + 1 }), {});
  const found = await read("endpoint_conflict_list?select=kind");
  assert.deepEqual(count(found, (row) => row.kind), count(planted.filter((row) => kinds[row.how]), (row) => kinds[row.how]));
  const machines = await read("endpoint_list?select=id&sources=cs.{intune}");
  const expected = planted.reduce((sum, row) => sum + (kinds[row.how] ? row.intune_ids.length : 1), 0);
  assert.equal(machines.length, expected, "each enrolled machine is one");
});

test("a technician decides a conflict, and it stays after a new synchronization", { timeout: STEP_MS * 2 }, async () => {
  const [conflict] = await read("endpoint_conflict_list?kind=eq.serial_and_name&order=customer_name,id&limit=1");
  assert.ok(conflict, "a conflict");
  const intune = conflict.records.find((record) => record.source === "intune");
  const same = conflict.records.find((record) => record.source === "ninjaone" && record.serial_number === intune.serial_number);
  const { context, page, complaints } = await open(browser, { session });
  await go(page, "/endpoints");
  await page.getByRole("table").getByRole("link").first().waitFor();
  await picture(page, "identity-1-endpoints");
  await page.getByRole("link", { name: "To decide", exact: true }).first().click();
  await page.getByRole("heading", { level: 1, name: "To decide" }).waitFor();
  await page.getByRole("table").getByRole("link").first().waitFor();
  await accessible(page, "what is to be decided");
  await picture(page, "identity-2-to-decide");
  await go(page, `/endpoints/${conflict.customer_id}/${intune.endpoint_id}`);
  const card = page.locator("section", { has: page.getByRole("heading", { level: 2, name: "To decide" }) }).filter({ hasText: same.name }).first();
  await card.getByRole("checkbox").first().waitFor();
  await accessible(page, "a machine with a conflict");
  await picture(page, "identity-3-conflict");
  for (const record of [intune, same]) {
    await card.getByRole("listitem").filter({ hasText: record.source === "intune" ? "Intune" : "NinjaOne" }).filter({ hasText: record.name }).getByRole("checkbox").check();
  }
  await card.getByRole("button", { name: "Confirm: one machine…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Confirm" }).click();
  await dialog.getByText("A reason is needed.").waitFor();
  await dialog.getByLabel("How do you know?").fill(REASON);
  await accessible(page, "the decision");
  await dialog.getByRole("button", { name: "Confirm" }).click();
  const joined = () => read(`endpoint_record_list?select=endpoint_id,source,link_kind&customer_id=eq.${conflict.customer_id}&record_id=in.(${intune.record_id},${same.record_id})&ended_at=is.null&order=source`);
  const isJoined = (rows) => rows.length === 2 && rows[0].endpoint_id === rows[1].endpoint_id && rows.some((row) => row.link_kind === "decision");
  const [{ endpoint_id: endpoint }] = await until("one machine", async () => { const rows = await joined(); return isJoined(rows) ? rows : null; });
  await synchronize("ninjaone");
  await synchronize("microsoft");
  assert.ok(isJoined(await joined()), "it stays");
  assert.equal((await read(`endpoint_conflict_list?select=id&id=eq.${conflict.id}`)).length, 0);
  for (const look of [{}, { dark: true }, { size: "phone" }]) {
    const other = await open(browser, { session, ...look });
    await go(other.page, `/endpoints/${conflict.customer_id}/${endpoint}`);
    await other.page.getByText(REASON).first().waitFor();
    await accessible(other.page, `a machine that was decided about ${JSON.stringify(look)}`);
    await noSidewaysScroll(other.page, "a machine that was decided about");
    await picture(other.page, `identity-4-decided${look.dark ? "-dark" : ""}${look.size ? "-phone" : ""}`);
    assert.deepEqual(other.complaints, []);
    await other.context.close();
  }
  assert.deepEqual(complaints, []);
  await context.close();
});
