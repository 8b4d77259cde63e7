// Drift: a technician sees a tenant that is not as its baseline demands, opens the drift, has it remediated through an approval, and
// it closes only because a reading back shows the value. Two tenants stand side by side, and a demand is tried before it is saved.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, go, launch, noSidewaysScroll, open, picture, settled, staffSession, until } from "./lib/browser.mjs";
import { control } from "./lib/sandbox.mjs";
import { as } from "./lib/sources.mjs";

const STEP_MS = 120_000;
const SETTING = "standards.AuditLog";

let browser;
let session;
let read;
let post;
let sourceOf;
let synchronize;

before(async () => {
  browser = await launch();
  const signed = await staffSession(browser);
  session = signed.session;
  ({ read, post, sourceOf, synchronize } = as(signed.token));
});
after(() => browser?.close());

/** A tenant that was judged, has the setting in order, and whose organization is known. */
async function tenantInOrder() {
  const [row] = await read(`tenant_setting_list?select=customer_id,cipp_tenant_id,tenant_name&setting=eq.${SETTING}&value=eq.true&is_complete=is.true&limit=1`);
  assert.ok(row, "a tenant with the audit log on");
  const ninja = await sourceOf("ninjaone");
  const [organization] = await read(`integration_organizations?select=external_id&integration_id=eq.${ninja.id}&customer_id=eq.${row.customer_id}&limit=1`);
  return { ...row, organization: Number(organization.external_id) };
}

test("a drift is found, remediated after an approval, and closed by what was read back", { timeout: STEP_MS * 5 }, async () => {
  await until("an evaluation", async () => (await read("drift_evaluations?select=customer_id&evaluated_at=not.is.null&limit=1"))[0] ?? null, { withinMs: STEP_MS });
  const tenant = await tenantInOrder();
  await control("/settings", { organization_id: tenant.organization, setting: SETTING, value: false });
  await synchronize("cipp");
  const drift = await until("the drift", async () => (await read(`drift_list?select=*&cipp_tenant_id=eq.${tenant.cipp_tenant_id}&setting=eq.${SETTING}&state=eq.open`))[0] ?? null, { withinMs: STEP_MS });
  assert.equal(drift.cause.kind, "changed");

  const { context, page, complaints } = await open(browser, { session });
  await go(page, "/drift");
  await page.getByRole("row").filter({ hasText: drift.setting_name }).first().waitFor();
  await settled(page);
  await accessible(page, "drift");
  await picture(page, "drift-1-list");
  await page.getByRole("row").filter({ hasText: drift.setting_name }).filter({ hasText: drift.tenant_name }).getByRole("link").first().click();
  await page.getByRole("heading", { level: 1, name: drift.setting_name }).waitFor();
  await settled(page);
  await accessible(page, "a drift");
  await picture(page, "drift-2-record");
  for (const look of [{ dark: true }, { size: "phone" }]) {
    const other = await open(browser, { session, ...look });
    const name = look.dark ? "dark" : "phone";
    for (const [path, shot] of [["/drift", "drift-1-list"], [`/drift/${drift.customer_id}/${drift.id}`, "drift-2-record"], ["/drift/tenants", "drift-3-tenants"]]) {
      await go(other.page, path);
      await noSidewaysScroll(other.page, path);
      await picture(other.page, `${shot}-${name}`, true);
    }
    await other.context.close();
  }

  await page.getByRole("button", { name: "Remediate…" }).click();
  await page.getByRole("dialog").getByRole("list", { name: "What changes" }).waitFor();
  await accessible(page, "the remediation of a drift");
  await picture(page, "drift-4-remediate");
  await page.getByRole("button", { name: "Prepare the change" }).click();
  await page.waitForURL((url) => url.pathname.startsWith("/runs/"));
  await page.getByRole("button", { name: /^Approve and run/ }).first().click({ timeout: STEP_MS });
  await page.getByRole("dialog").getByRole("button", { name: "Approve and run" }).click();
  const closed = await until("the end of the drift", async () => (await read(`drift_list?select=close_reason&id=eq.${drift.id}&state=eq.closed`))[0] ?? null, { withinMs: STEP_MS });
  assert.equal(closed.close_reason, "remediated");
  await page.getByText("Verified").first().waitFor();
  await picture(page, "drift-5-verified");
  const truth = await control("/truth");
  const [known] = await read(`cipp_tenant_list?select=external_id&id=eq.${tenant.cipp_tenant_id}`);
  assert.equal(truth.settings.find((row) => row.tenant_id === known.external_id && row.setting === SETTING).value, true, "the tenant itself");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a drift is accepted with a reason, and the acceptance is ended", { timeout: STEP_MS }, async () => {
  const [row] = await read("drift_list?select=customer_id,id&state=eq.open&limit=1");
  assert.ok(row, "there is a drift");
  const { context, page, complaints } = await open(browser, { session });
  await go(page, `/drift/${row.customer_id}/${row.id}`);
  await page.getByRole("button", { name: "Accept…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Accept" }).click();
  await dialog.getByText("A reason is needed.").waitFor();
  await dialog.getByLabel("Why is it right here?").fill("Their scanner needs it until spring.");
  await accessible(page, "an acceptance");
  await picture(page, "drift-6-accept");
  await dialog.getByRole("button", { name: "Accept" }).click();
  await page.getByText("Their scanner needs it until spring.").waitFor();
  await page.getByRole("button", { name: "End the acceptance" }).click();
  await page.getByRole("button", { name: "Remediate…" }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test("tenants are compared, and a demand is tried before it is saved", { timeout: STEP_MS }, async () => {
  const [left, right] = await read("drift_tenant_list?select=id,name&state=in.(drift,in_order,unknown)&order=name&limit=2");
  const { context, page, complaints } = await open(browser, { session });
  await go(page, "/drift/tenants");
  await settled(page);
  await accessible(page, "tenants against their baselines");
  await picture(page, "drift-3-tenants");
  await go(page, `/drift/compare?left=${left.id}&right=${right.id}&all=1`);
  await page.getByRole("columnheader", { name: left.name }).waitFor();
  await accessible(page, "two tenants");
  await picture(page, "drift-7-compare");
  await go(page, "/baselines");
  await settled(page);
  await accessible(page, "baselines");
  await picture(page, "drift-8-baselines");
  const [everybody] = await read("baseline_list?select=id,name&kind=eq.provider");
  await go(page, `/baselines/${everybody.id}`);
  await page.getByRole("button", { name: "Edit The unified audit log is on" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("The value").selectOption("not_set");
  assert.equal(await dialog.getByRole("button", { name: "Save" }).getAttribute("aria-disabled"), "true");
  await dialog.getByRole("button", { name: "Show the effect" }).click();
  await dialog.getByRole("region", { name: "Effect" }).waitFor();
  await accessible(page, "the effect of a demand");
  await picture(page, "drift-9-effect");
  assert.deepEqual(complaints, []);
  await context.close();
});
