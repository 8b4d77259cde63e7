// The stock clients, unchanged: `@supabase/supabase-js`, and `supabase` for Python in a virtual environment of its own.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { createClient } from "@supabase/supabase-js";
import ws from "ws";
import { config } from "./lib/config.mjs";

const RUN_MS = 60_000;
/** Stock clients want a key; without a sign-in it makes nobody of its bearer. */
const KEY = "public";
const PYTHON = new URL("python/.venv/bin/python", import.meta.url).pathname;

const connect = () => createClient(config.url, KEY, { auth: { persistSession: false }, realtime: { transport: ws } });

/** The answer's rows, or a failure in the server's words. */
const rows = ({ data, error }) => {
  assert.equal(error, null);
  return data;
};

let client;
let customer;

before(async () => {
  client = connect();
  const { data, error } = await client.auth.signInWithPassword({ email: config.staff, password: config.password });
  assert.equal(error, null);
  assert.equal(data.user.email, config.staff);
  customer = rows(await client.from("customers").select("id, name").order("name").limit(1).single());
});
after(async () => {
  await client.removeAllChannels();
  assert.equal((await client.auth.signOut()).error, null);
});

test("nobody sees nothing, and a wrong password is an error", async () => {
  const nobody = connect();
  assert.equal((await nobody.from("customers").select("id")).status, 401);
  const refused = await nobody.auth.signInWithPassword({ email: config.staff, password: "not the password" });
  assert.equal(refused.error.status, 400);
});

test("lists: count, order, ranges, filters, embeds, aggregates, CSV", async () => {
  const page = await client.from("device_list").select("name, customer_name", { count: "exact" }).order("name").range(2, 4);
  assert.equal(page.status, 206);
  assert.equal(page.data.length, 3);
  const all = rows(await client.from("device_list").select("name").order("name").limit(1000));
  assert.equal(page.count, all.length);
  assert.deepEqual(page.data.map((row) => row.name), all.slice(2, 5).map((row) => row.name));
  const [counted] = rows(await client.from("customers").select("name, devices(count)").eq("id", customer.id));
  const devices = rows(await client.from("devices").select("id, customers!inner(name)").eq("customers.name", customer.name));
  assert.equal(counted.devices[0].count, devices.length);
  const some = rows(await client.from("device_list").select("name").or("class.eq.server,name.ilike.%-FS%").not("name", "is", null).limit(5));
  assert.ok(some.length > 0);
  assert.match(rows(await client.from("device_list").select("name").limit(2).csv()), /^name\n\S+\n\S+$/);
  const { error } = await client.from("devices").select("no_such_column");
  assert.equal(error.code, "42703");
});

test("writing: insert, update, upsert by the right, one row or an error", async () => {
  const ticket = rows(await client.from("tickets").insert({ customer_id: customer.id, subject: "From a stock client" }).select().single());
  assert.deepEqual([ticket.state, ticket.priority], ["open", "p3"]);
  const changed = await client.from("tickets").update({ priority: "p2" }).eq("customer_id", customer.id).eq("id", ticket.id).select("priority").maybeSingle();
  assert.deepEqual(rows(changed), { priority: "p2" });
  const refused = await client.from("tickets").insert({ customer_id: customer.id, subject: "" });
  assert.equal(refused.error.code, "23514");
  const none = await client.from("tickets").select("id").eq("id", customer.id).single();
  assert.equal(none.error.code, "PGRST116");
});

test("functions: a database function, and a function of the product with its error", async () => {
  assert.ok(rows(await client.rpc("my_permissions")).length > 0);
  const { error } = await client.functions.invoke("workflow-executor", { body: { action: "no such action" } });
  assert.equal((await error.context.json()).code, "OB1001");
});

test("files: upload, list, download, sign, remove", async () => {
  const files = client.storage.from("attachments");
  const path = `${customer.id}/clients/hello.txt`;
  rows(await files.upload(path, new Blob(["hello"], { type: "text/plain" }), { upsert: true }));
  assert.equal(await rows(await files.download(path)).text(), "hello");
  assert.deepEqual(rows(await files.list(`${customer.id}/clients`)).map((file) => file.name), ["hello.txt"]);
  const { signedUrl } = rows(await files.createSignedUrl(path, 60));
  assert.equal(await (await fetch(signedUrl)).text(), "hello");
  assert.equal(rows(await files.remove([path])).length, 1);
});

test("changes arrive", { timeout: RUN_MS }, async () => {
  const subject = `Heard ${Date.now()}`;
  const heard = new Promise((resolve, reject) => {
    const channel = client.channel("clients");
    channel
      .on("postgres_changes", { event: "INSERT", schema: "public", table: "tickets", filter: `customer_id=eq.${customer.id}` }, (change) => {
        if (change.new.subject === subject) resolve(change);
      })
      .on("system", {}, (message) => {
        if (message.status !== "ok") return reject(new Error(message.message));
        void client.from("tickets").insert({ customer_id: customer.id, subject }).then(({ error }) => error && reject(error));
      })
      .subscribe();
  });
  assert.equal((await heard).new.customer_id, customer.id);
});

test("the same from Python", { timeout: RUN_MS }, async () => {
  const env = { ...process.env, OBERA_URL: config.url, OBERA_PASSWORD: config.password, OBERA_STAFF: config.staff };
  const { stdout } = await promisify(execFile)(PYTHON, ["clients.py"], { cwd: new URL("python/", import.meta.url), env, timeout: RUN_MS });
  assert.match(stdout, /all in order\n$/);
});
