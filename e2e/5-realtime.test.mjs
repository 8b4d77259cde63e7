// The stock realtime client against the product: changes under the policies, private channels, HTTP broadcasts, presence.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { RealtimeClient } from "@supabase/realtime-js";
import WebSocket from "ws";
import { config } from "./lib/config.mjs";

const WAIT_MS_MAX = 20_000;
const VERSIONS = ["2.0.0", "1.0.0"];
const clients = [];
let staff;
let own;
let foreign;

async function signIn(email) {
  const answer = await fetch(`${config.url}/auth/v1/token?grant_type=password`, {
    method: "POST",
    headers: { "content-type": "application/json", apikey: "public" },
    body: JSON.stringify({ email, password: config.password }),
  });
  assert.equal(answer.status, 200, `${email} signs in`);
  return (await answer.json()).access_token;
}

async function rest(token, path, body) {
  const headers = { authorization: `Bearer ${token}`, apikey: "public", "content-type": "application/json", prefer: "return=representation" };
  const answer = await fetch(`${config.url}/rest/v1/${path}`, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

/** A client of this person, as an application would make it. */
async function client(token, vsn = "2.0.0") {
  const made = new RealtimeClient(`${config.url.replace(/^http/, "ws")}/realtime/v1`, { params: { apikey: "public" }, transport: WebSocket, vsn });
  await made.setAuth(token);
  clients.push(made);
  return made;
}

function subscribed(channel) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${channel.topic} was not joined in time`)), WAIT_MS_MAX);
    channel.subscribe((status, error) => {
      if (status === "SUBSCRIBED") resolve(clearTimeout(late));
      if (status === "CHANNEL_ERROR") reject(error);
    });
  });
}

/** What comes, in order; `next` waits for what is looked for. */
function inbox() {
  const items = [];
  const waiting = new Set();
  return {
    items,
    add(item) {
      items.push(item);
      for (const look of waiting) look();
    },
    next(is, what) {
      return new Promise((resolve, reject) => {
        const look = () => {
          const found = items.find(is);
          if (!found) return;
          clearTimeout(late);
          waiting.delete(look);
          resolve(found);
        };
        const late = setTimeout(() => reject(new Error(`${what} did not come; came: ${JSON.stringify(items)}`)), WAIT_MS_MAX);
        waiting.add(look);
        look();
      });
    },
  };
}

const ticket = (customer, subject) => rest(staff, "tickets", { customer_id: customer.id, subject, priority: "p3" });

before(async () => {
  staff = await signIn(config.staff);
  [own, foreign] = await rest(staff, "customer_list?select=id,slug&order=devices.desc&limit=2");
});
after(async () => {
  for (const made of clients) await made.removeAllChannels();
});

for (const vsn of VERSIONS) {
  test(`a portal person hears of their tickets and of no other's (${vsn})`, async () => {
    const heard = inbox();
    const portal = await client(await signIn(`portal@${own.slug}.example`), vsn);
    const channel = portal
      .channel("tickets")
      .on("postgres_changes", { event: "INSERT", schema: "public", table: "tickets" }, (change) => heard.add(change))
      .on("postgres_changes", { event: "*", schema: "public", table: "tickets", filter: "subject=eq.Nobody's" }, () => heard.add({ new: { subject: "wrong" } }));
    await subscribed(channel);
    await ticket(foreign, `Theirs ${vsn}`);
    const [made] = await ticket(own, `Ours ${vsn}`);
    const change = await heard.next((item) => item.new.subject === `Ours ${vsn}`, "our ticket");
    assert.equal(change.eventType, "INSERT");
    assert.equal(change.new.id, made.id);
    assert.equal(change.new.number, made.number);
    assert.equal(change.errors, null);
    assert.deepEqual(heard.items.filter((item) => item.new.subject !== `Ours ${vsn}`), []);
  });
}

test("a private topic carries broadcasts over the socket and over HTTP, and refuses strangers", async () => {
  const topic = `customer:${own.id}:desk`;
  const heard = inbox();
  const portal = await client(await signIn(`portal@${own.slug}.example`));
  const listening = portal.channel(topic, { config: { private: true } }).on("broadcast", { event: "hello" }, (message) => heard.add(message));
  await subscribed(listening);
  const desk = await client(staff);
  const sending = desk.channel(topic, { config: { private: true, broadcast: { ack: true } } });
  await subscribed(sending);
  assert.equal(await sending.send({ type: "broadcast", event: "hello", payload: { by: "socket" } }), "ok");
  await heard.next((message) => message.payload.by === "socket", "the socket's broadcast");
  assert.deepEqual(await sending.httpSend("hello", { by: "http" }), { success: true });
  await heard.next((message) => message.payload.by === "http", "the broadcast over HTTP");
  const stranger = await client(await signIn(`portal@${foreign.slug}.example`));
  await assert.rejects(subscribed(stranger.channel(topic, { config: { private: true } })), /may not use/);
});

test("presence is told to who is there", async () => {
  const topic = `customer:${own.id}:room`;
  const heard = inbox();
  const watcher = (await client(staff)).channel(topic, { config: { private: true } });
  watcher.on("presence", { event: "join" }, (event) => heard.add({ come: event.key, with: event.newPresences }));
  watcher.on("presence", { event: "leave" }, (event) => heard.add({ gone: event.key }));
  await subscribed(watcher);
  const guest = (await client(await signIn(`portal@${own.slug}.example`))).channel(topic, { config: { private: true, presence: { key: "guest" } } });
  await subscribed(guest);
  assert.equal(await guest.track({ at: "door" }), "ok");
  const come = await heard.next((event) => event.come === "guest", "the guest");
  assert.equal(come.with[0].at, "door");
  assert.equal(await guest.untrack(), "ok");
  await heard.next((event) => event.gone === "guest", "the guest's leaving");
});

test("a channel that is not private refuses broadcasts", async () => {
  const portal = await client(await signIn(`portal@${own.slug}.example`));
  const channel = portal.channel("lobby", { config: { broadcast: { ack: true } } });
  await subscribed(channel);
  assert.equal(await channel.send({ type: "broadcast", event: "hello", payload: {} }), "error");
});
