// Maintenance: a technician puts a device into maintenance; it counts when NinjaOne's own reading shows it. Its alert is recorded and pages nobody,
// and comes back after the early end, which is read back as well.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, go, launch, noSidewaysScroll, open, picture, rest, settled, staffSession, until } from "./lib/browser.mjs";
import { control } from "./lib/sandbox.mjs";
import { as } from "./lib/sources.mjs";

const STEP_MS = 120_000;

let browser;
let session;
let token;
let read;

before(async () => {
  browser = await launch();
  ({ session, token } = await staffSession(browser));
  ({ read } = as(token));
});
after(() => browser?.close());

/** A healthy Windows device on line, with a name that a later one does not have. */
async function healthy() {
  const [row] = await read("device_list?select=customer_id,id,name&is_offline=is.false&open_conditions=eq.0&missing_since=is.null&approval=eq.approved&maintenance_state=is.null&os_name=ilike.Windows*&site_id=not.is.null&order=name.desc&limit=1");
  assert.ok(row, "a healthy device");
  const [known] = await read(`devices?select=external_id&id=eq.${row.id}`);
  return { ...row, external: Number(known.external_id) };
}

test("a device is in maintenance when NinjaOne shows it; its alert waits and comes back", { timeout: STEP_MS * 4 }, async () => {
  const device = await healthy();
  const path = `/devices/${device.customer_id}/${device.id}`;
  const { context, page, complaints } = await open(browser, { session });
  await go(page, path);
  await page.getByRole("button", { name: "Maintenance…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Begin maintenance" }).click();
  await dialog.getByText("A reason is needed.").waitFor();
  await dialog.getByLabel("Why?").fill("The power supply is exchanged.");
  await accessible(page, "the maintenance dialog");
  await picture(page, "maintenance-1-dialog");
  await dialog.getByRole("button", { name: "Begin maintenance" }).click();
  const state = async () => (await read(`device_maintenance_list?select=*&device_id=eq.${device.id}&order=requested_at.desc&limit=1`))[0];
  const begun = await until("the proof", async () => { const one = await state(); return one?.state === "active" ? one : null; }, { withinMs: STEP_MS });
  assert.match(begun.state_text, /^Read back: .* is in maintenance until/);
  const [run] = await read(`runs?select=state&id=eq.${begun.run_id}`);
  assert.equal(run.state, "verified");

  await control("/trigger", { kind: "disk_full", device_id: device.external });
  const alert = await until("the alert", async () => (await read(`alert_list?select=id,incident_id,muted_at&device_id=eq.${device.id}&state=eq.open`))[0] ?? null, { withinMs: STEP_MS });
  assert.ok(alert.muted_at, "recorded and muted");
  assert.equal(alert.incident_id, null, "nobody was called");
  await page.getByRole("list", { name: "Muted alerts" }).getByText("Muted", { exact: true }).waitFor({ timeout: STEP_MS });
  await settled(page);
  await accessible(page, "a device in maintenance");
  await picture(page, "maintenance-2-device");
  for (const look of [{ dark: true }, { size: "phone" }]) {
    const other = await open(browser, { session, ...look });
    const name = look.dark ? "dark" : "phone";
    for (const [shown, shot] of [[path, "maintenance-2-device"], ["/devices?status=maintenance", "maintenance-3-list"], ["/alerts?muted=yes", "maintenance-4-alerts"]]) {
      await go(other.page, shown);
      await noSidewaysScroll(other.page, shown);
      await picture(other.page, `${shot}-${name}`, true);
    }
    await other.context.close();
  }
  await go(page, "/devices?status=maintenance");
  await page.getByRole("row").filter({ hasText: device.name }).getByText("In maintenance").waitFor();
  await go(page, "/alerts?muted=yes");
  await page.getByRole("row").filter({ hasText: device.name }).getByText("Muted", { exact: true }).waitFor();

  await go(page, path);
  await page.getByRole("button", { name: "End maintenance" }).click();
  const ended = await until("the end", async () => { const one = await state(); return one?.state === "ended" ? one : null; }, { withinMs: STEP_MS });
  assert.equal(ended.end_reason, "by_person");
  const back = await until("the incident", async () => (await read(`alert_list?select=incident_id,muted_at&id=eq.${alert.id}&incident_id=not.is.null`))[0] ?? null, { withinMs: STEP_MS });
  assert.equal(back.muted_at, null);
  await page.getByText("Came back").first().waitFor({ timeout: STEP_MS });
  await picture(page, "maintenance-5-ended");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a NinjaOne that lies mutes nothing", { timeout: STEP_MS * 2 }, async () => {
  const device = await healthy();
  await control("/faults", { kind: "lying_success", path_prefix: "/v2/device", method: "PUT" });
  const body = { action: "start", customer_id: device.customer_id, device_ids: [device.id], minutes: 60, reason: "To see whether it is believed." };
  const started = await rest(token, "/functions/v1/maintenance", { method: "POST", body: JSON.stringify(body) });
  assert.equal(started.status, 200, JSON.stringify(started.body));
  const failed = await until("the verdict", async () => (await read(`device_maintenance_list?select=state_text&device_id=eq.${device.id}&state=eq.failed`))[0] ?? null, { withinMs: STEP_MS });
  assert.match(failed.state_text, /not verified/);
});
