// Files with the stock clients, and on the ticket's page.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { StorageClient } from "@supabase/storage-js";
import * as tus from "tus-js-client";
import { accessible, go, launch, noSidewaysScroll, open, picture, rest, signIn, staffSession, tokenOf } from "./lib/browser.mjs";
import { config } from "./lib/config.mjs";

const WAIT_MS = 120_000;
const RUN = randomBytes(4).toString("hex");
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

let browser;
let session;
let token;
let customers;

before(async () => {
  browser = await launch();
  ({ session, token } = await staffSession(browser));
  customers = (await rest(token, "/rest/v1/customers?select=id,slug,name&order=slug&limit=2")).body;
});
after(() => browser?.close());

const storageOf = (bearer) => new StorageClient(`${config.url}/storage/v1`, { apikey: "console", ...(bearer ? { authorization: `Bearer ${bearer}` } : {}) });

/** Data of an answer that must not be an error. */
function data(answer) {
  assert.equal(answer.error, null, JSON.stringify(answer.error));
  return answer.data;
}

async function portalToken(slug) {
  const { context, page } = await open(browser);
  await signIn(page, `portal@${slug}.example`);
  const bearer = await tokenOf(page);
  await context.close();
  return bearer;
}

test("storage-js: buckets from the first to the last day", { timeout: WAIT_MS }, async () => {
  const storage = storageOf(token);
  const name = `e2e-${RUN}`;
  assert.deepEqual(data(await storage.createBucket(name, { public: false, fileSizeLimit: "1MB", allowedMimeTypes: ["text/plain", "image/*"] })), { name });
  const bucket = data(await storage.getBucket(name));
  assert.deepEqual({ id: bucket.id, public: bucket.public, limit: bucket.file_size_limit, types: bucket.allowed_mime_types }, { id: name, public: false, limit: 1_048_576, types: ["text/plain", "image/*"] });
  assert.ok(data(await storage.listBuckets({ search: name })).some((found) => found.name === name));
  const files = storage.from(name);
  const refused = await files.upload("page.html", "<p>", { contentType: "text/html" });
  assert.deepEqual({ status: refused.error.status, code: refused.error.statusCode }, { status: 415, code: "415" });
  const big = await files.upload("big.txt", Buffer.alloc(1_048_577), { contentType: "text/plain" });
  assert.equal(big.error.statusCode, "413");
  data(await storage.updateBucket(name, { public: false, fileSizeLimit: null, allowedMimeTypes: null }));
  data(await files.upload("page.html", "<p>", { contentType: "text/html" }));
  assert.equal((await storage.deleteBucket(name)).error.status, 409);
  assert.equal((await storage.createBucket(`${name}-open`, { public: true })).error.status, 403);
  data(await storage.emptyBucket(name));
  data(await storage.deleteBucket(name));
  assert.equal((await storage.getBucket(name)).error.statusCode, "404");
});

test("storage-js: a file's whole life", { timeout: WAIT_MS }, async () => {
  const files = storageOf(token).from("knowledge");
  const at = (name) => `e2e/${RUN}/${name}`;
  const sent = data(await files.upload(at("a b.txt"), "hello", { contentType: "text/plain", cacheControl: "60", metadata: { origin: "e2e" } }));
  assert.deepEqual({ path: sent.path, fullPath: sent.fullPath }, { path: at("a b.txt"), fullPath: `knowledge/${at("a b.txt")}` });
  assert.ok(sent.id);
  assert.equal((await files.upload(at("a b.txt"), "again")).error.statusCode, "409");
  data(await files.upload(at("a b.txt"), new Blob(["hello again"], { type: "text/plain" }), { upsert: true, metadata: { origin: "form" } }));
  assert.equal(await data(await files.download(at("a b.txt"))).text(), "hello again");
  const info = data(await files.info(at("a b.txt")));
  assert.deepEqual({ size: info.size, type: info.contentType, metadata: info.metadata, etag: info.etag }, { size: 11, type: "text/plain", metadata: { origin: "form" }, etag: `"${sha256("hello again")}"` });
  assert.equal(data(await files.exists(at("a b.txt"))), true);
  assert.equal((await files.exists(at("none.txt"))).data, false);
  data(await files.update(at("a b.txt"), Buffer.from("third"), { contentType: "text/plain" }));
  data(await files.copy(at("a b.txt"), at("sub/copy.txt")));
  data(await files.move(at("a b.txt"), at("ü.txt")));
  const list = data(await files.list(`e2e/${RUN}`));
  assert.deepEqual(list.map((line) => [line.name, line.metadata?.size ?? null]), [["sub", null], ["ü.txt", 5]]);
  assert.deepEqual(data(await files.list(`e2e/${RUN}`, { search: "ü", limit: 1 })).map((line) => line.name), ["ü.txt"]);
  const page = data(await files.listV2({ prefix: `e2e/${RUN}/`, limit: 1 }));
  assert.equal(page.hasNext, true);
  const rest2 = data(await files.listV2({ prefix: `e2e/${RUN}/`, limit: 1, cursor: page.nextCursor }));
  assert.deepEqual([...page.objects, ...rest2.objects].map((line) => line.name), [at("sub/copy.txt"), at("ü.txt")]);
  assert.equal(data(await files.listV2({ prefix: `e2e/${RUN}/`, with_delimiter: true })).folders.length, 1);

  const { signedUrl } = data(await files.createSignedUrl(at("ü.txt"), 60, { download: "named.txt" }));
  const open = await fetch(signedUrl);
  assert.deepEqual([open.status, await open.text()], [200, "third"]);
  assert.match(open.headers.get("content-disposition"), /attachment.*named\.txt/);
  assert.match(open.headers.get("content-security-policy"), /sandbox/);
  const part = await fetch(signedUrl, { headers: { range: "bytes=1-2" } });
  assert.deepEqual([part.status, await part.text()], [206, "hi"]);
  assert.equal((await fetch(signedUrl.replace("token=", "token=x"))).status, 400);
  const many = data(await files.createSignedUrls([at("ü.txt"), at("none.txt")], 60));
  assert.equal((await fetch(many[0].signedUrl)).status, 200);
  assert.deepEqual([many[1].signedUrl, typeof many[1].error], [null, "string"]);
  const upload = data(await files.createSignedUploadUrl(at("given.txt")));
  data(await storageOf(null).from("knowledge").uploadToSignedUrl(at("given.txt"), upload.token, "by link", { contentType: "text/plain" }));
  assert.equal(await data(await files.download(at("given.txt"))).text(), "by link");
  const removed = data(await files.remove([at("ü.txt"), at("sub/copy.txt"), at("given.txt"), at("none.txt")]));
  assert.deepEqual(removed.map((line) => line.name).sort(), [at("given.txt"), at("sub/copy.txt"), at("ü.txt")]);
  assert.deepEqual(data(await files.list(`e2e/${RUN}`)), []);
});

/** Sends with the stock client; `breakAt` ends it in the middle, as a lost line does. */
function send(content, name, { bearer, breakAt = Infinity, url } = {}) {
  return new Promise((resolve, reject) => {
    const upload = new tus.Upload(content, {
      endpoint: `${config.url}/storage/v1/upload/resumable`,
      ...(url ? { uploadUrl: url } : {}),
      headers: { apikey: "console", authorization: `Bearer ${bearer}`, "x-upsert": "true" },
      metadata: { bucketName: "knowledge", objectName: name, contentType: "application/octet-stream", cacheControl: "3600" },
      chunkSize: 6 * 1024 * 1024,
      uploadDataDuringCreation: true,
      retryDelays: null,
      onError: reject,
      onChunkComplete: (_size, accepted) => {
        if (accepted >= breakAt) void upload.abort().then(() => resolve(upload.url));
      },
      onSuccess: () => resolve(upload.url),
    });
    upload.start();
  });
}

test("tus-js-client: a large file goes on from where it stopped", { timeout: WAIT_MS }, async () => {
  const content = randomBytes(20 * 1024 * 1024 + 17);
  const name = `e2e/${RUN}/large.bin`;
  const files = storageOf(token).from("knowledge");
  const url = await send(content, name, { bearer: token, breakAt: 6 * 1024 * 1024 });
  assert.equal((await files.exists(name)).data, false, "half a file is no file");
  const headers = { apikey: "console", authorization: `Bearer ${token}`, "tus-resumable": "1.0.0" };
  const head = await fetch(url, { method: "HEAD", headers });
  assert.ok(Number(head.headers.get("upload-offset")) >= 6 * 1024 * 1024);
  await send(content, name, { bearer: token, url });
  const got = Buffer.from(await data(await files.download(name)).arrayBuffer());
  assert.equal(sha256(got), sha256(content));
  data(await files.remove([name]));
  const ended = await send(content, name, { bearer: token, breakAt: 6 * 1024 * 1024 });
  await tus.Upload.terminate(ended, { headers: { apikey: "console", authorization: `Bearer ${token}` } });
  assert.equal((await fetch(ended, { method: "HEAD", headers })).status, 404);
});

test("a customer's person has their own customer's files and nobody else's", { timeout: WAIT_MS }, async () => {
  const [own, other] = customers;
  const mine = storageOf(await portalToken(own.slug)).from("attachments");
  const theirs = storageOf(await portalToken(other.slug)).from("attachments");
  const name = `${other.id}/e2e-${RUN}.txt`;
  data(await theirs.upload(name, "secret", { contentType: "text/plain" }));
  for (const answer of [await mine.download(name), await mine.info(name), await mine.createSignedUrl(name, 60), await mine.upload(name, "x", { upsert: true }), await mine.copy(name, `${own.id}/stolen.txt`)]) {
    assert.deepEqual({ status: answer.error.status, message: answer.error.message }, { status: 404, message: answer.error.message });
  }
  assert.deepEqual(data(await mine.list(other.id)), []);
  assert.deepEqual(data(await mine.remove([name])), []);
  assert.equal(await data(await theirs.download(name)).text(), "secret");
  data(await theirs.remove([name]));
});

test("a file is attached to a ticket and downloaded again", { timeout: WAIT_MS }, async () => {
  const opened = await rest(token, "/rest/v1/tickets?select=id", {
    method: "POST",
    headers: { prefer: "return=representation" },
    body: JSON.stringify({ customer_id: customers[0].id, subject: `Scanner writes empty pages ${RUN}` }),
  });
  assert.equal(opened.status, 201, JSON.stringify(opened.body));
  const path = `/tickets/${customers[0].id}/${opened.body[0].id}`;
  const { context, page, complaints } = await open(browser, { session });
  await go(page, path);
  await page.getByRole("button", { name: "Attach file" }).waitFor();
  const file = { name: "Empty page (1).txt", mimeType: "text/plain", buffer: Buffer.from("nothing on it\n") };
  await page.getByLabel("File to attach").setInputFiles(file);
  const line = page.getByRole("list", { name: "Attached files" }).getByRole("listitem");
  await line.getByText(file.name).waitFor();
  await page.getByText("attached a file").waitFor();
  const waiting = page.waitForEvent("download");
  await page.getByRole("button", { name: `Download ${file.name}` }).click();
  const download = await waiting;
  assert.equal(download.suggestedFilename(), file.name);
  assert.equal(readFileSync(await download.path(), "utf8"), file.buffer.toString());
  await accessible(page, "a ticket with an attachment");
  await picture(page, "storage-ticket-light");
  assert.deepEqual(complaints, []);
  await context.close();
  for (const [name, look] of [["dark", { dark: true }], ["phone", { size: "phone" }]]) {
    const seen = await open(browser, { ...look, session });
    await go(seen.page, path);
    await seen.page.getByText(file.name).first().waitFor();
    await accessible(seen.page, `a ticket with an attachment, ${name}`);
    await noSidewaysScroll(seen.page, `a ticket with an attachment, ${name}`);
    await seen.page.getByRole("list", { name: "Attached files" }).scrollIntoViewIfNeeded();
    await picture(seen.page, `storage-ticket-${name}`);
    assert.deepEqual(seen.complaints, []);
    await seen.context.close();
  }
});
