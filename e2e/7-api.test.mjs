// The API explorer, and the uniform surface behind it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { accessible, go, launch, noSidewaysScroll, open, picture, rest, staffSession } from "./lib/browser.mjs";
import { config } from "./lib/config.mjs";

const WAIT_MS = 60_000;
const LOOKS = { light: {}, dark: { dark: true }, phone: { size: "phone" } };

let browser;
let session;
let token;

before(async () => {
  browser = await launch();
  ({ session, token } = await staffSession(browser));
});
after(() => browser?.close());

for (const [look, options] of Object.entries(LOOKS)) {
  describe(look, () => {
    for (const path of ["/api", "/api?function=workflow-executor", "/api?function=ninjaone-webhook"]) {
      test(path, { timeout: WAIT_MS }, async () => {
        const name = `api-${path.split("=")[1] ?? "first"}`;
        const { context, page, complaints } = await open(browser, { ...options, session });
        await go(page, path);
        await page.getByRole("heading", { level: 1, name: "API explorer" }).waitFor();
        await page.getByRole("heading", { level: 2, name: "Answers" }).waitFor();
        await noSidewaysScroll(page, name);
        await picture(page, `${name}-${look}`, true);
        await accessible(page, name);
        assert.deepEqual(complaints, []);
        await context.close();
      });
    }
  });
}

test("a call is filled in, checked, sent, and answered again under its key", { timeout: WAIT_MS }, async () => {
  const [source] = (await rest(token, "/rest/v1/source_list?select=id&vendor=eq.ninjaone&limit=1")).body;
  const { context, page, complaints } = await open(browser, { session });
  await go(page, "/");
  await page.getByRole("link", { name: "API explorer" }).click();
  await page.getByRole("link", { name: /^ninjaone-sync/ }).click();
  await page.waitForURL((url) => url.searchParams.get("function") === "ninjaone-sync");

  const id = page.getByLabel("integration_id");
  await id.fill("not an id");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("Must be an id (a UUID).").waitFor();
  await page.getByText("Nothing was sent").waitFor();
  assert.equal(await page.getByRole("heading", { level: 2, name: "Answer", exact: true }).count(), 0);

  await id.fill(source.id);
  await page.getByRole("button", { name: "Send" }).click();
  const body = page.getByLabel("Body of the answer");
  await body.waitFor();
  const first = JSON.parse(await body.innerText());
  assert.match(first.sync_run_id, /^[0-9a-f-]{36}$/);
  assert.equal(await page.getByText("replayed", { exact: true }).count(), 0);
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("replayed", { exact: true }).waitFor();
  assert.deepEqual(JSON.parse(await body.innerText()), first);

  const shown = await page.locator("main").innerText();
  assert.ok(!shown.includes(token), "the token is on the page");
  assert.match(await page.getByLabel("The call as curl").innerText(), /Bearer \$TOKEN/);
  await accessible(page, "api-answer");
  await picture(page, "api-answer", true);
  await page.getByRole("button", { name: "JSON", exact: true }).click();
  await page.getByLabel("Input").fill("{");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("Nothing was sent").waitFor();
  await accessible(page, "api-json");
  assert.deepEqual(complaints, []);
  await context.close();

  const called = (await rest(token, "/rest/v1/function_calls?select=function,status&function=eq.ninjaone-sync&order=began_at.desc&limit=1")).body;
  assert.deepEqual(called, [{ function: "ninjaone-sync", status: 200 }]);
});

test("OPTIONS, other methods and unknown functions are answered alike", async () => {
  const document = await (await fetch(`${config.url}/openapi.json`)).json();
  assert.match(document.openapi, /^3\.1\./);
  for (const path of Object.keys(document.paths)) {
    const url = config.url + path.replace(/\{[^}]+\}/g, "00000000-0000-7000-8000-000000000001");
    const options = await fetch(url, { method: "OPTIONS" });
    assert.deepEqual([options.status, options.headers.get("allow")], [204, "OPTIONS, POST"], path);
    const get = await fetch(url);
    assert.deepEqual([get.status, (await get.json()).code], [405, "OB1004"], path);
    assert.match(get.headers.get("x-request-id"), /^[0-9a-f-]{36}$/);
  }
  const unknown = await fetch(`${config.url}/functions/v1/no/such`, { method: "POST" });
  assert.deepEqual([unknown.status, (await unknown.json()).code], [404, "OB3001"]);
});
