// A customer's devices vanish: held back, accepted by a person with a reason, asked for one by one, gone. And who may not, cannot.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, go, launch, noSidewaysScroll, open, picture, staffSession, until } from "./lib/browser.mjs";
import { config } from "./lib/config.mjs";
import { control } from "./lib/sandbox.mjs";
import { as } from "./lib/sources.mjs";

const SYNC_MS = 120_000;
/** More than a run asks for by itself (200), and more than a fifth. */
const ADDED = 400;
const GONE = 260;
const REASON = "They left us at the end of the month.";

let browser;
let session;
let read;
let post;
let sourceOf;
let synchronize;
let ended;

before(async () => {
  browser = await launch();
  const signed = await staffSession(browser);
  session = signed.session;
  ({ read, post, sourceOf, synchronize, ended } = as(signed.token));
});
after(() => browser?.close());

test("a fall that two readings confirm is accepted by a person", { timeout: SYNC_MS * 4 }, async () => {
  const { id } = await sourceOf("ninjaone");
  await control("/devices/add", { organization_id: 1, count: ADDED });
  assert.equal((await synchronize("ninjaone")).state, "complete");
  const before = (await sourceOf("ninjaone")).rows_read;
  await control("/devices/remove", { organization_id: 1, count: GONE });
  const held = await synchronize("ninjaone");
  assert.equal(held.state, "suspect", JSON.stringify(held.error));
  assert.ok(before > 0);

  const { context, page, complaints } = await open(browser, { session });
  await go(page, "/");
  await page.getByRole("link", { name: /gone, held back/ }).waitFor();
  await picture(page, "sources-1-overview");
  await go(page, `/integrations/${id}`);
  await page.getByRole("button", { name: /^Accept what is gone/ }).waitFor();
  await accessible(page, "a held-back synchronization");
  await picture(page, "sources-2-held-back");
  for (const look of [{ dark: true }, { size: "phone" }]) {
    const other = await open(browser, { session, ...look });
    await go(other.page, `/integrations/${id}`);
    await noSidewaysScroll(other.page, "a held-back synchronization");
    await picture(other.page, `sources-2-held-back-${look.dark ? "dark" : "phone"}`, true);
    await other.context.close();
  }

  await page.getByRole("button", { name: /^Accept what is gone/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("row", { name: new RegExp(`^Devices .* ${GONE}$`) }).waitFor();
  await dialog.getByRole("button", { name: "Accept and ask for each" }).click();
  await dialog.getByText("A reason is needed.").waitFor();
  await dialog.getByLabel("Why is it gone?").fill(REASON);
  await accessible(page, "accept a fall");
  await picture(page, "sources-3-accept");
  await dialog.getByRole("button", { name: "Accept and ask for each" }).click();
  await page.getByText(/^Accepted\. A full synchronization/).waitFor();

  const accepted = await until("the accepting run", async () => (await read(`sync_runs?accepted_run_id=eq.${held.id}&select=*`))[0]);
  assert.equal((await ended(accepted.id)).state, "complete");
  const parts = await read(`sync_parts?sync_run_id=eq.${accepted.id}&part=eq.devices&select=*`);
  assert.deepEqual([parts[0].rows_to_ask, parts[0].rows_asked, parts[0].rows_removed], [GONE, GONE, GONE]);
  await go(page, `/integrations/${id}`);
  await page.getByText(REASON).first().waitFor();
  await page.getByText(`asked for ${GONE} of ${GONE} that the list lacks`).waitFor();
  await picture(page, "sources-4-accepted", true);
  assert.deepEqual(complaints, []);
  await context.close();

  // It was the latest, and is no more.
  const again = await post("ninjaone-sync", { integration_id: id, kind: "full", accept_fall: { sync_run_id: held.id, reason: REASON } });
  assert.equal(again.status, 409, JSON.stringify(again.body));
});
