// SharePoint: documents and links are those of the sites; words are found in their customer; what is read of a site is chosen in the console.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, go, launch, noSidewaysScroll, open, picture, rest, staffSession } from "./lib/browser.mjs";
import { control } from "./lib/sandbox.mjs";
import { as } from "./lib/sources.mjs";

const STEP_MS = 120_000;

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

async function call(body) {
  const { status, body: answer } = await rest(token, "/functions/v1/sharepoint-sync", { method: "POST", body: JSON.stringify(body) });
  assert.equal(status, 200, JSON.stringify(answer));
  return answer;
}

test("documents and links are those of the sites, and words are found where they are", { timeout: STEP_MS * 2 }, async () => {
  await synchronize("sharepoint");
  const { documents, shares, tenants } = await control("/truth");
  const known = new Set((await read("document_tenants?select=external_id&missing_since=is.null&state=eq.complete")).map((row) => row.external_id));
  assert.ok(known.size > 2, `${known.size} tenants`);
  const planted = documents.filter((row) => known.has(row.tenant_id));
  const found = await read("document_list?select=path&missing_since=is.null&kind=neq.folder&limit=10000");
  assert.equal(found.length, planted.length);
  const risky = shares.filter((row) => known.has(row.tenant_id) && row.risky);
  const open = await read("document_share_list?select=id&risk=in.(1,3)&missing_since=is.null&limit=10000");
  assert.equal(open.length, risky.length);
  const readme = planted.find((row) => row.path === "/README.txt");
  const code = /door is (\w+)\./.exec(readme.words)[1];
  const hits = await read(`rpc/search_documents?term=${code}&select=customer_name,path,snippet&order=rank.desc`);
  assert.deepEqual(hits.map((hit) => [hit.customer_name, hit.path]), [[tenants.find((row) => row.tenant_id === readme.tenant_id).name, "/README.txt"]]);
  assert.ok(hits[0].snippet.includes(`\u0002${code}\u0003`));
});

test("a search leads to the document, its words and its bytes", { timeout: STEP_MS }, async () => {
  const { context, page, complaints } = await open(browser, { session });
  await go(page, "/documents");
  await page.getByRole("table").getByRole("link").first().waitFor();
  await picture(page, "documents-1-newest");
  await page.getByRole("searchbox", { name: "Search documents" }).fill("restoring backups");
  await page.getByRole("link", { name: "Backup restore.docx" }).first().waitFor();
  await page.locator("mark").first().waitFor();
  await accessible(page, "a search of documents");
  await picture(page, "documents-2-search");
  await page.getByRole("link", { name: "Backup restore.docx" }).first().click();
  await page.getByRole("heading", { level: 1, name: "Backup restore.docx" }).waitFor();
  await page.getByRole("region", { name: "Text of the document" }).getByText("Mount it beside the original").waitFor();
  await accessible(page, "a document");
  await picture(page, "documents-3-document");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download" }).click()]);
  assert.equal(download.suggestedFilename(), "Backup restore.docx");
  const place = new URL(page.url()).pathname;
  for (const look of [{ dark: true }, { size: "phone" }]) {
    const other = await open(browser, { session, ...look });
    for (const [path, name] of [["/documents?q=backup", "search"], [place, "document"], ["/document-sites", "sites"], ["/sharing-links", "links"]]) {
      await go(other.page, path);
      await noSidewaysScroll(other.page, path);
      await picture(other.page, `documents-${name}-${look.dark ? "dark" : "phone"}`, true);
    }
    await other.context.close();
  }
  assert.deepEqual(complaints, []);
  await context.close();
});

test("what is read of a site is chosen, and a wide link is seen first", { timeout: STEP_MS * 2 }, async () => {
  const { context, page, complaints } = await open(browser, { session });
  await go(page, "/sharing-links");
  await page.getByText("Anyone can edit").first().waitFor();
  await accessible(page, "sharing links");
  await picture(page, "documents-4-links");
  await go(page, "/document-sites?q=Human");
  const choice = page.getByRole("combobox", { name: /What is read of Human Resources/ }).first();
  await choice.waitFor();
  await accessible(page, "sites");
  await picture(page, "documents-5-sites");
  await choice.selectOption({ label: "Size only" });
  await page.getByText("Chosen for Human Resources.").waitFor();
  const [site] = await read("document_site_list?reads=eq.inventory&name=eq.Human%20Resources&select=id,customer_id");
  assert.ok(site, "one site is only listed");
  await synchronize("sharepoint", { kind: "incremental" });
  assert.deepEqual(await read(`document_list?site_id=eq.${site.id}&select=id`), []);
  await call({ action: "choose", customer_id: site.customer_id, document_site_id: site.id, reads: "sharing" });
  await synchronize("sharepoint", { kind: "incremental" });
  assert.ok((await read(`document_list?site_id=eq.${site.id}&select=id`)).length > 0);
  assert.deepEqual(complaints, []);
  await context.close();
});
