// Every page for the provider's people: light, dark and phone; no error, no failed request, nothing for axe to find.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { accessible, go, launch, noSidewaysScroll, open, picture, rest, settled, signIn, staffSession, tokenOf } from "./lib/browser.mjs";
import { config } from "./lib/config.mjs";

const LISTS = ["customers", "devices", "endpoints", "endpoints/to-decide", "configuration", "people", "people/leavers", "licenses", "tenants", "cipp-tenants", "documents", "document-sites", "sharing-links", "mfa", "posture", "posture/checks", "posture/findings", "sign-ins", "directory-changes", "log-coverage", "alerts", "incidents", "approvals", "runs", "tickets", "differences", "bills", "bills/payments", "bills/tickets", "billing-lines", "margins", "month-closes", "count-rules", "integrations", "expiries", "security", "access", "api"];
const FIRST_LOAD_BYTES_MAX = 200 * 1024;
/** Of Lighthouse's cumulative layout shift; 0.1 is what it still calls good. */
const LAYOUT_SHIFT_MAX = 0.01;
const LOOKS = { light: {}, dark: { dark: true }, phone: { size: "phone" } };

let browser;
let session;
let records;

before(async () => {
  browser = await launch();
  const { token, ...signedIn } = await staffSession(browser);
  ({ session } = signedIn);
  const first = async (table, order) => (await rest(token, `/rest/v1/${table}?select=id,customer_id&order=${order}&limit=1`)).body[0];
  const [customer] = (await rest(token, "/rest/v1/customer_list?select=id&order=devices.desc&limit=1")).body;
  const [source] = (await rest(token, "/rest/v1/source_list?select=id&vendor=eq.ninjaone&limit=1")).body;
  records = {
    customer: customer && `/customers/${customer.id}`,
    integration: source && `/integrations/${source.id}`,
    device: await first("device_list", "open_conditions.desc,id"),
    incident: await first("incident_list", "opened_at.desc"),
    run: await first("runs", "created_at.desc"),
    ticket: await first("ticket_list", "opened_at.desc"),
    person: await first("person_list", "licenses_count.desc,id"),
    tenant: await first("tenant_list", "mfa_gap.desc,id"),
    cipp_tenant: await first("cipp_tenant_list", "settings_unlike.desc,id"),
  };
  const areas = { device: "devices", incident: "incidents", run: "runs", ticket: "tickets", person: "people", tenant: "tenants", cipp_tenant: "cipp-tenants" };
  for (const [kind, area] of Object.entries(areas)) {
    const row = records[kind];
    records[kind] = row && `/${area}/${row.customer_id}/${row.id}`;
  }
});
after(() => browser?.close());

test("a wrong password is refused in words, and nothing else happens", async () => {
  const { context, page } = await open(browser);
  await page.goto(`${config.url}/devices?page=2`);
  await page.waitForURL((url) => url.pathname === "/sign-in" && url.searchParams.get("next") === "/devices?page=2");
  await accessible(page, "sign-in");
  await noSidewaysScroll(page, "sign-in");
  await picture(page, "sign-in-light");
  await page.getByLabel("Email").fill(config.staff);
  await page.getByLabel("Password").fill("certainly not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  assert.ok((await page.getByRole("alert").innerText()).length > 0);
  assert.equal(new URL(page.url()).pathname, "/sign-in");
  await page.getByLabel("Password").fill(config.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => url.pathname === "/devices" && url.searchParams.get("page") === "2");
  await context.close();
});

for (const [look, options] of Object.entries(LOOKS)) {
  describe(look, () => {
    const visit = (name, path) =>
      test(name, async () => {
        const target = typeof path === "function" ? path() : path;
        assert.ok(target, `there is no ${name} to look at; the story runs first and makes one`);
        const { context, page, complaints } = await open(browser, { ...options, session });
        await go(page, target);
        assert.equal(await page.locator("h1").count(), 1);
        await noSidewaysScroll(page, name);
        await picture(page, `${name.replace("/", "-")}-${look}`, look === "phone");
        await accessible(page, name);
        assert.deepEqual(complaints, []);
        await context.close();
      });
    visit("overview", "/");
    for (const list of LISTS) visit(list, `/${list}`);
    for (const record of ["customer", "device", "incident", "run", "ticket", "integration", "person", "tenant"]) visit(record, () => records[record]);
    visit("not-found", "/there/is/no/such/page");
  });
}

test("what a phone shows of a list stays where it is while the rest comes", async () => {
  const { context, page } = await open(browser, { size: "phone", session });
  const cdp = await context.newCDPSession(page);
  // A slow phone: what comes in two steps is drawn in two steps.
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await page.route("**/rest/v1/**", async (route) => {
    // One frame of a skeleton at least.
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))).catch(() => undefined);
    await route.continue().catch(() => undefined);
  });
  await page.addInitScript(() => {
    globalThis.shifts = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const moved = entry.sources.map(({ node }) => (node instanceof Element ? `${node.tagName} ${node.className}` : (node?.textContent ?? "what is gone")).slice(0, 80));
        globalThis.shifts.push({ value: entry.value, moved });
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  for (const list of LISTS) {
    await go(page, `/${list}`);
    const shifts = await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(globalThis.shifts)))));
    const sum = shifts.reduce((all, { value }) => all + value, 0);
    assert.ok(sum <= LAYOUT_SHIFT_MAX, `${list}: ${sum.toFixed(3)}\n${JSON.stringify(shifts, null, 2)}`);
  }
  await context.close();
});

test("the search of devices and tickets takes every character as it is", async () => {
  const { context, page, complaints } = await open(browser, { session });
  await go(page, "/devices");
  const name = (await page.locator("[data-row-link] b").first().innerText()).trim();
  for (const [term, finds] of [[name.toLowerCase(), true], [name.slice(1), true], ["%", false], ["_", false], ["\\", false], ["a,b)(*\"", false]]) {
    await go(page, `/devices?q=${encodeURIComponent(term)}&sort=-name`);
    const shown = await page.locator("[data-row-link] b").allInnerTexts();
    assert.equal(shown.includes(name), finds, `${term} shows ${shown.length} devices`);
  }
  const token = await tokenOf(page);
  const [ticket] = (await rest(token, "/rest/v1/ticket_list?select=reference,subject&order=opened_at.desc&limit=1")).body;
  assert.ok(ticket, "there is no ticket to look for; the story runs first and makes one");
  await go(page, `/tickets?q=${encodeURIComponent(ticket.reference.toLowerCase())}`);
  await page.locator("[data-row-link] b", { hasText: ticket.subject }).first().waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test("every page names itself in the browser's tab", async () => {
  const { context, page } = await open(browser, { session });
  for (const [path, title] of [["/", "Overview"], ["/access", "Access log"], ["/security", "Security alerts"], ["/devices", "Devices"], ["/api", "API explorer"], ["/tickets/01890000-0000-7000-8000-000000000000", "No such ticket"]]) {
    await go(page, path);
    await page.waitForFunction((wanted) => document.title === wanted, `${title} · OberaConnect`);
  }
  await page.goto(`${config.url}/access`);
  await page.getByRole("heading", { level: 1, name: "Access log", exact: true }).waitFor();
  await context.close();
});

test("the first visit loads at most 200 KB of JavaScript", async () => {
  const { context, page } = await open(browser, { session });
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  const scripts = new Map();
  let bytes = 0;
  cdp.on("Network.responseReceived", (event) => {
    if (event.type === "Script") scripts.set(event.requestId, event.response.url);
  });
  cdp.on("Network.dataReceived", (event) => {
    if (scripts.has(event.requestId)) bytes += event.encodedDataLength;
  });
  await go(page, "/");
  await page.waitForLoadState("networkidle").catch(() => undefined);
  assert.ok(bytes > 0 && bytes <= FIRST_LOAD_BYTES_MAX, `${bytes} bytes in ${scripts.size} files`);
  await context.close();
});

test("the keyboard reaches everything", async () => {
  const { context, page, complaints } = await open(browser, { session });
  await go(page, "/");
  await page.keyboard.press("g");
  await page.keyboard.press("d");
  await page.waitForURL((url) => url.pathname === "/devices");
  await settled(page);
  await page.locator("[data-row-link]").first().focus();
  await page.keyboard.press("j");
  const name = await page.evaluate(() => document.activeElement?.querySelector("b")?.textContent);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname.startsWith("/devices/"));
  await page.getByRole("heading", { level: 1, name }).waitFor();

  await page.keyboard.press("Control+k");
  await page.keyboard.type(name);
  await page.getByRole("option", { name }).first().waitFor();
  await accessible(page, "palette");
  await picture(page, "palette-light");
  await page.keyboard.press("Escape");
  assert.equal(await page.getByRole("dialog").count(), 0);

  await page.keyboard.press("g");
  await page.keyboard.press("t");
  await page.waitForURL((url) => url.pathname === "/tickets");
  await page.getByRole("heading", { level: 1, name: "Tickets" }).waitFor();
  await settled(page);
  await page.keyboard.press("/");
  await page.waitForFunction(() => document.activeElement instanceof HTMLInputElement);
  await page.keyboard.type("no ticket has these words");
  await page.getByText("Nothing matches").waitFor();
  await page.getByRole("button", { name: "Clear search and filters" }).click();
  await page.waitForURL((url) => !url.searchParams.has("q"));
  assert.deepEqual(complaints, []);
  await context.close();
});

test("filters, sort and page live in the URL and agree with the API", async () => {
  const { context, page, complaints } = await open(browser, { session });
  await go(page, "/devices?class=server&sort=-disk_used_percent");
  const token = await tokenOf(page);
  const expected = await rest(token, "/rest/v1/device_list?select=name&class=in.(server)&order=disk_used_percent.desc.nullslast,id&limit=3", { headers: { prefer: "count=exact" } });
  const total = Number(expected.headers.get("content-range").split("/")[1]);
  const shown = await page.locator("[data-row-link] b").evaluateAll((names) => names.slice(0, 3).map((name) => name.textContent));
  assert.deepEqual(shown, expected.body.map((row) => row.name));
  await page.getByText(`${total.toLocaleString("en-US")} match`).waitFor();
  await page.reload();
  await settled(page);
  assert.deepEqual(await page.locator("[data-row-link] b").evaluateAll((names) => names.slice(0, 3).map((name) => name.textContent)), shown);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("the theme is kept over a reload", async () => {
  const { context, page } = await open(browser, { session });
  await go(page, "/");
  await page.getByRole("button", { name: "Use the dark theme" }).click();
  await page.reload();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await context.close();
});

test("signing out ends the session here and at the server", async () => {
  const { context, page } = await open(browser);
  await signIn(page, config.staff);
  const token = await tokenOf(page);
  await page.getByRole("button", { name: /account of/i }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.waitForURL((url) => url.pathname === "/sign-in");
  assert.equal(await tokenOf(page), null);
  const answer = await rest(token, "/rest/v1/customer_list?select=id&limit=1");
  assert.ok(answer.status === 401 || (answer.status === 200 && answer.body.length === 0), `the old token still reads: ${answer.status}`);
  await page.goto(`${config.url}/devices`);
  await page.waitForURL((url) => url.pathname === "/sign-in");
  await context.close();
});
