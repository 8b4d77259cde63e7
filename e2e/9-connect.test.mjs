// A vendor is connected from the console: refused credentials keep nothing, those that work name what they may do.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, go, launch, noSidewaysScroll, open, picture, rest, staffSession, until } from "./lib/browser.mjs";
import { handle } from "./lib/sandbox.mjs";
import { as } from "./lib/sources.mjs";

const NAME = "NinjaOne, second instance";

let browser;
let session;
let token;

before(async () => {
  browser = await launch();
  ({ session, token } = await staffSession(browser));
});
after(() => browser?.close());

test("a source is connected, checked and given new credentials", async () => {
  const { base_url: address, client_id: clientId, client_secret: secret } = handle();
  const sources = async () => (await rest(token, `/rest/v1/source_list?select=id,name&name=eq.${encodeURIComponent(NAME)}`)).body;
  const { context, page, complaints } = await open(browser, { session });
  await go(page, "/integrations");
  await page.getByRole("button", { name: "Connect a source" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(NAME);
  await dialog.getByLabel("Address").fill(address);
  await dialog.getByLabel("Client id", { exact: true }).fill(clientId);
  await dialog.getByLabel("Client secret", { exact: true }).fill("not the secret");
  await accessible(page, "the form of a connection");
  await dialog.getByRole("button", { name: "Try and keep" }).click();
  await dialog.getByText("The vendor does not take these credentials. Nothing was kept.").waitFor();
  assert.deepEqual(await sources(), []);
  await picture(page, "connect-1-refused");

  await dialog.getByLabel("Client secret", { exact: true }).fill(secret);
  await dialog.getByRole("button", { name: "Try and keep" }).click();
  await dialog.getByText("Everything that is needed is there.").waitFor();
  await accessible(page, "what a connection may do");
  await picture(page, "connect-2-kept");
  await dialog.getByRole("button", { name: "Map its organizations" }).click();
  await page.getByRole("heading", { level: 1, name: NAME }).waitFor();
  const [source] = await until("the source", async () => {
    const rows = await sources();
    return rows.length > 0 ? rows : null;
  });

  await page.getByRole("button", { name: "Check the rights" }).click();
  await page.getByRole("list", { name: "What was checked" }).waitFor();
  await page.getByRole("button", { name: "New credentials…" }).click();
  await dialog.getByLabel("Client id", { exact: true }).fill(clientId);
  await dialog.getByLabel("Client secret", { exact: true }).fill("also wrong");
  await dialog.getByRole("button", { name: "Try and replace" }).click();
  await dialog.getByText("The old ones are still in use.").waitFor();
  await dialog.getByLabel("Client secret", { exact: true }).fill(secret);
  await dialog.getByRole("button", { name: "Try and replace" }).click();
  await dialog.getByText(/^They are in use\./).waitFor();
  await dialog.getByRole("button", { name: "Close" }).last().click();
  for (const look of [{ dark: true }, { size: "phone" }]) {
    const other = await open(browser, { session, ...look });
    await go(other.page, `/integrations/${source.id}`);
    await noSidewaysScroll(other.page, "a new integration");
    await picture(other.page, `connect-3-${look.dark ? "dark" : "phone"}`, true);
    await other.context.close();
  }
  // The demo's own source stays the only one that reads: the same devices must not be there twice.
  const off = await rest(token, `/rest/v1/integrations?id=eq.${source.id}`, { method: "PATCH", body: JSON.stringify({ enabled: false }) });
  assert.equal(off.status, 204);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a person signs in at NinjaOne, and what acts is theirs until it is ended", async () => {
  const { id } = await as(token).sourceOf("ninjaone");
  const acting = async () => (await rest(token, `/rest/v1/acting_sign_ins?integration_id=eq.${id}`)).body;
  const { context, page, complaints } = await open(browser, { session });
  const signIn = async (answer) => {
    await go(page, `/integrations/${id}`);
    await page.getByRole("button", { name: /^Sign in (at NinjaOne|again)…$/ }).click();
    await page.getByRole("heading", { name: "NinjaOne (sandbox)" }).waitFor();
    await page.getByRole("button", { name: answer }).click();
  };
  await signIn("Deny");
  await page.getByText("It was not allowed at NinjaOne. Nothing was changed.").waitFor();
  assert.deepEqual(await acting(), []);
  await signIn("Allow");
  await page.getByText("From now on scripts, tickets and maintenance windows are those of the person who signed in.").waitFor();
  assert.equal(new URL(page.url()).search, "", "what came back stays in no history");
  await accessible(page, "a sign-in that is finished");
  await picture(page, "connect-4-signed-in");
  await page.getByRole("button", { name: "To the integration" }).click();
  await page.getByText(/are a person’s: .+ signed in at NinjaOne/).waitFor();
  const [row] = await acting();
  assert.equal(row.failed_at, null);
  for (const look of [{}, { dark: true }, { size: "phone" }]) {
    const other = await open(browser, { session, ...look });
    await go(other.page, `/integrations/${id}`);
    await other.page.getByRole("button", { name: "End the sign-in" }).waitFor();
    await noSidewaysScroll(other.page, "an integration that somebody signed in for");
    await picture(other.page, `connect-5-${look.dark ? "dark" : (look.size ?? "light")}`, true);
    await other.context.close();
  }
  await page.getByRole("button", { name: "End the sign-in" }).click();
  await page.getByText("are the application's own again").waitFor();
  assert.deepEqual(await acting(), []);
  // Going to the vendor's page is what was asked for; the sandbox's has no icon.
  assert.deepEqual(complaints.filter((complaint) => !complaint.includes("/ws/oauth/authorize?")), []);
  await context.close();
});
