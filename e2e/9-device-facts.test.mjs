// What the RMM reports of devices: the odd ones that were planted are found, shown with their age, and a failed report takes nothing away.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, go, launch, noSidewaysScroll, open, picture, staffSession } from "./lib/browser.mjs";
import { control } from "./lib/sandbox.mjs";
import { as } from "./lib/sources.mjs";

const STEP_MS = 120_000;

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

test("devices without antivirus, without critical patches and with late backups are those that were planted", { timeout: STEP_MS * 2 }, async () => {
  await synchronize("ninjaone");
  const { device_facts: planted } = await control("/truth");
  // Devices of organizations that nobody mapped are not ours to know.
  const mapped = new Set((await read("integration_organizations?select=external_id&customer_id=not.is.null")).map((row) => Number(row.external_id)));
  const ours = planted.filter((row) => mapped.has(row.organization_id));
  const found = async (filter) => (await read(`device_list?select=id&missing_since=is.null&${filter}`)).length;
  assert.equal(await found("antivirus=eq.none"), ours.filter((row) => row.antivirus === "none").length);
  assert.equal(await found("antivirus=eq.outdated"), ours.filter((row) => row.antivirus === "outdated").length);
  assert.equal(await found("patches_critical=gte.1"), ours.filter((row) => row.lacks_critical).length);
  assert.equal(await found("backup_state=eq.late"), ours.filter((row) => row.backup === "late").length);
  assert.ok((await found("antivirus=eq.none")) > 0);
});

test("the list of software, where a program is installed, and a device with its facts", { timeout: STEP_MS * 2 }, async () => {
  const [device] = await read("device_list?select=customer_id,id,name&antivirus=eq.none&missing_since=is.null&order=customer_name,name&limit=1");
  const [program] = await read("software_list?select=name,version,publisher,device_count&customer_id=is.null&order=device_count.desc,name&limit=1");
  const { context, page, complaints } = await open(browser, { session });
  await go(page, "/software");
  await page.getByRole("table").getByRole("link").first().waitFor();
  await accessible(page, "the list of software");
  await picture(page, "facts-1-software");
  await page.getByRole("searchbox").first().fill(program.name);
  // The list that was there is replaced by what was found.
  await page.waitForURL((url) => url.searchParams.get("q") === program.name);
  await page.getByText(/ match$/).waitFor();
  await page.getByRole("table").getByRole("link", { name: program.name }).first().click();
  await page.getByRole("heading", { level: 1, name: program.name }).waitFor();
  await page.getByRole("table").getByRole("link").first().waitFor();
  await accessible(page, "where a program is installed");
  await go(page, "/devices?guard=none");
  await page.getByRole("table").getByRole("link", { name: device.name }).first().waitFor();
  for (const look of [{}, { dark: true }, { size: "phone" }]) {
    const other = await open(browser, { session, ...look });
    await go(other.page, `/devices/${device.customer_id}/${device.id}`);
    await other.page.getByText("No antivirus").first().waitFor();
    for (const name of ["Health", "Patches", "Software", "Volumes"]) await other.page.getByRole("heading", { level: 2, name, exact: true }).waitFor();
    await accessible(other.page, `a device with its facts ${JSON.stringify(look)}`);
    await noSidewaysScroll(other.page, "a device with its facts");
    await picture(other.page, `facts-2-device${look.dark ? "-dark" : ""}${look.size ? "-phone" : ""}`);
    assert.deepEqual(other.complaints, []);
    await other.context.close();
  }
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a report that stays cut off takes nothing away and says so", { timeout: STEP_MS * 2 }, async () => {
  const programs = async () => (await read("software_list?select=device_count&customer_id=is.null")).reduce((sum, row) => sum + row.device_count, 0);
  const before = await programs();
  await control("/faults", { kind: "truncated_list", path_prefix: "/v2/queries/antivirus-status", times: 500 });
  const without = (await read("device_list?select=id&antivirus=eq.none")).length;
  try {
    const { id: run } = await synchronize("ninjaone");
    const [part] = await read(`sync_parts?sync_run_id=eq.${run}&part=eq.antivirus&select=state,rows_removed`);
    assert.notEqual(part.state, "complete");
    assert.equal((await read("device_list?select=id&antivirus=eq.none")).length, without);
    assert.equal(await programs(), before);
  } finally {
    await control("/faults", undefined, "DELETE");
  }
  await synchronize("ninjaone");
  const [again] = await read("device_fact_overview?part=eq.antivirus&customer_id=is.null&select=is_complete");
  assert.equal(again.is_complete, true);
});
