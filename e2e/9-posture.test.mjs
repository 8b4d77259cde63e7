// Posture: what the sandbox planted is found and nothing else; a check that cannot be read says so; a technician goes from the tenant to the
// check to its findings, and sees the same secret in the expiry calendar.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, go, launch, noSidewaysScroll, open, picture, settled, staffSession, until } from "./lib/browser.mjs";
import { control } from "./lib/sandbox.mjs";
import { as } from "./lib/sources.mjs";

const STEP_MS = 120_000;
const PAGE_ROWS = 1_000;

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

/** Every row of a list, page by page. */
async function all(path) {
  const rows = [];
  for (;;) {
    const page = await read(`${path}&limit=${PAGE_ROWS}&offset=${rows.length}`);
    rows.push(...page);
    if (page.length < PAGE_ROWS) return rows;
  }
}

/** Mail and applications: what no other test of this suite changes meanwhile. */
const STEADY = ["app_credentials", "spf", "dkim", "dmarc"];

test("what is planted is found, and nothing else", { timeout: STEP_MS * 2 }, async () => {
  await until("checks of Microsoft 365 and CIPP", async () => {
    const known = await read("posture_check_list?select=check_key&outcome=neq.unknown&check_key=in.(app_credentials,dmarc)");
    return new Set(known.map((row) => row.check_key)).size === 2 ? known : null;
  }, { withinMs: STEP_MS });
  const truth = await control("/truth");
  const checks = await all("posture_check_list?select=id,external_id,check_key,outcome,findings,missing_read,missing_reason&order=id");
  const findings = await all("posture_finding_list?select=posture_check_id,key&order=id");
  for (const check of checks.filter((row) => STEADY.includes(row.check_key) && row.outcome !== "unknown")) {
    const found = findings.filter((row) => row.posture_check_id === check.id).map((row) => row.key).sort();
    const planted = truth.posture.filter((row) => row.tenant_id === check.external_id && row.check === check.check_key).map((row) => row.key).sort();
    assert.deepEqual(found, planted, `${check.external_id} ${check.check_key}`);
    assert.equal(check.findings, found.length);
  }
  for (const check of checks.filter((row) => row.outcome === "unknown")) {
    assert.ok(check.missing_read && check.missing_reason, JSON.stringify(check));
  }
});

test("a technician goes from the tenant to the check and its findings", { timeout: STEP_MS * 2 }, async () => {
  const [failed] = await read("posture_check_list?select=*&check_key=eq.dmarc&outcome=eq.failed&order=id&limit=1");
  assert.ok(failed, "a tenant with a weak DMARC policy");
  const [finding] = await read(`posture_finding_list?select=subject,detail&posture_check_id=eq.${failed.id}&limit=1`);
  const { context, page, complaints } = await open(browser, { session });
  await go(page, `/posture?q=${encodeURIComponent(failed.tenant_name)}`);
  await settled(page);
  await accessible(page, "posture");
  await picture(page, "posture-1-tenants");
  await page.getByRole("row").filter({ hasText: failed.tenant_name }).first().getByRole("link").first().click();
  await page.getByRole("heading", { level: 1, name: failed.tenant_name }).waitFor();
  await settled(page);
  await accessible(page, "the posture of a tenant");
  await picture(page, "posture-2-tenant");
  await page.getByRole("link", { name: failed.title }).first().click();
  await page.getByRole("heading", { level: 1, name: failed.title }).waitFor();
  await page.getByText(finding.detail).first().waitFor();
  await page.getByText(failed.advice).waitFor();
  await settled(page);
  await accessible(page, "a check");
  await picture(page, "posture-3-check");
  assert.deepEqual(complaints, []);
  await context.close();
  const paths = ["/posture", "/posture/checks", "/posture/findings", `/posture/${failed.customer_id}/${failed.posture_tenant_id}`, `/posture/checks/${failed.customer_id}/${failed.id}`];
  for (const look of [{}, { dark: true }, { size: "phone" }]) {
    const other = await open(browser, { session, ...look });
    for (const path of paths) {
      await go(other.page, path);
      await settled(other.page);
      await noSidewaysScroll(other.page, path);
      await accessible(other.page, path);
    }
    assert.deepEqual(other.complaints, []);
    await other.context.close();
  }
});

test("what cannot be read is unknown, keeps what was known and says why", { timeout: STEP_MS * 4 }, async () => {
  const [before] = await read("posture_check_list?select=*&check_key=eq.dmarc&outcome=eq.failed&order=id&limit=1");
  // As many as no run uses up; what is left is taken back below by faults that no call fits.
  await control("/faults", { vendor: "cipp", kind: "placeholder", path_prefix: "/api/ListDomainAnalyser", times: 20 });
  await synchronize("cipp");
  const unknown = await until("the check to be unknown", async () => (await read(`posture_check_list?select=*&id=eq.${before.id}&outcome=eq.unknown`))[0] ?? null, { withinMs: STEP_MS });
  assert.equal(unknown.findings, before.findings, "what was known stays");
  assert.equal(unknown.missing_read, "mail_domains");
  const { context, page, complaints } = await open(browser, { session });
  await go(page, `/posture/checks/${unknown.customer_id}/${unknown.id}`);
  await page.getByRole("heading", { level: 2, name: "Not known" }).waitFor();
  await settled(page);
  await accessible(page, "a check that is not known");
  await picture(page, "posture-4-unknown");
  assert.deepEqual(complaints, []);
  await context.close();
  await until("the check to be known again", async () => {
    await synchronize("cipp");
    return (await read(`posture_check_list?select=id&id=eq.${before.id}&outcome=eq.failed`))[0] ?? null;
  }, { withinMs: STEP_MS * 2 });
});

test("secrets of applications are in the expiry calendar", { timeout: STEP_MS }, async () => {
  const [secret] = await read("expiry_list?select=subject,customer_name&kind=eq.app_secret&order=ends_at&limit=1");
  assert.ok(secret, "a secret that ends");
  const { context, page, complaints } = await open(browser, { session });
  await go(page, "/expiries?kind=app_secret");
  await page.getByRole("row").filter({ hasText: secret.subject }).first().waitFor();
  await settled(page);
  await accessible(page, "the expiry calendar");
  await picture(page, "posture-5-expiries");
  assert.deepEqual(complaints, []);
  await context.close();
});
