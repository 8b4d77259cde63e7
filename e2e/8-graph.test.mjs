// Microsoft's own client, unchanged, against the sandbox's Microsoft Graph: what it reads there is what it would read from the vendor.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { BatchRequestContent, BatchResponseContent, Client, GraphError, MiddlewareFactory, PageIterator } from "@microsoft/microsoft-graph-client";
import { control, handle } from "./lib/sandbox.mjs";

const access = handle();
/** Where the client believes to be. It sends tokens, and follows links, there only. */
const VENDOR = "https://graph.microsoft.com";

/** A token of one tenant, by the grant that applications use. */
async function token(tenant) {
  const response = await fetch(`${access.graph_login_url}/${tenant}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: access.graph_client_id,
      client_secret: access.graph_client_secret,
      scope: "https://graph.microsoft.com/.default",
    }),
  });
  return { status: response.status, body: await response.json() };
}

/** The last of the client's handlers, in place of its own: it sends what the client made to the sandbox, as a proxy under the vendor's name would. */
class Proxy {
  async execute(context) {
    const { request, options } = context;
    const url = typeof request === "string" ? request : request.url;
    assert.ok(url.startsWith(`${VENDOR}/`), url);
    const headers = new Headers(options?.headers);
    headers.set("x-forwarded-proto", "https");
    headers.set("x-forwarded-host", new URL(VENDOR).host);
    context.response = await fetch(url.replace(VENDOR, access.graph_url), { ...options, headers });
  }
}

async function connect(tenant) {
  const { status, body } = await token(tenant);
  assert.equal(status, 200, JSON.stringify(body));
  const handlers = MiddlewareFactory.getDefaultMiddlewareChain({ getAccessToken: async () => body.access_token });
  return Client.initWithMiddleware({ middleware: [...handlers.slice(0, -1), new Proxy()] });
}

let truth;
let tenant;
let client;

before(async () => {
  truth = await control("/truth");
  tenant = truth.tenants.find((row) => row.organization_id === 1);
  client = await connect(tenant.tenant_id);
});

test("people come page by page, and all of them", async () => {
  const ids = new Set();
  const first = await client.api("/users").select("id,userPrincipalName,accountEnabled,assignedLicenses").top(10).get();
  const pages = new PageIterator(client, first, (user) => Boolean(ids.add(user.id)));
  await pages.iterate();
  assert.ok(pages.isComplete());
  const told = truth.mfa.filter((row) => row.tenant_id === tenant.tenant_id).map((row) => row.user_id);
  assert.deepEqual([...ids].sort(), told.sort());
  assert.equal(ids.size, tenant.users);
  const counted = await client.api("/users").header("ConsistencyLevel", "eventual").count(true).top(1).select("id").get();
  assert.equal(counted["@odata.count"], tenant.users);
});

test("seats are what people hold", async () => {
  const { value: skus } = await client.api("/subscribedSkus").get();
  const held = new Map();
  const first = await client.api("/users").select(["id", "assignedLicenses"]).get();
  await new PageIterator(client, first, (user) => {
    for (const { skuId } of user.assignedLicenses) held.set(skuId, (held.get(skuId) ?? 0) + 1);
    return true;
  }).iterate();
  assert.ok(skus.length > 0);
  assert.deepEqual(new Map(skus.map((sku) => [sku.skuId, sku.consumedUnits])), held);
  assert.ok(skus.every((sku) => sku.prepaidUnits.enabled >= sku.consumedUnits));
});

test("policies, and who is outside of them", async () => {
  const { value: policies } = await client.api("/identity/conditionalAccess/policies").get();
  const policy = policies.find((row) => row.state === "enabled");
  assert.deepEqual(policy.conditions.users.includeUsers, ["All"]);
  const users = policy.conditions.users;
  const [group] = users.excludeGroups;
  const outside = group ? (await client.api(`/groups/${group}/transitiveMembers/microsoft.graph.user`).select("id").get()).value.map((row) => row.id) : users.excludeUsers;
  const told = truth.mfa.filter((row) => row.tenant_id === tenant.tenant_id && row.reason === "excluded").map((row) => row.user_id);
  assert.deepEqual(outside, told);
});

test("a batch: each answer by its id, also the refused one", async () => {
  const [{ user_id: id }] = truth.mfa.filter((row) => row.tenant_id === tenant.tenant_id);
  // Inside a batch there is no version; the client cuts off the host.
  const ask = (name, path) => ({ id: name, request: new Request(`${VENDOR}${path}`, { method: "GET" }) });
  const content = await new BatchRequestContent([ask("organization", "/organization"), ask("methods", `/users/${id}/authentication/methods`), ask("nobody", "/users/nobody")]).getContent();
  const answers = new BatchResponseContent(await client.api("/$batch").post(content));
  assert.equal((await answers.getResponseById("organization").json()).value[0].id, tenant.tenant_id);
  assert.ok((await answers.getResponseById("methods").json()).value.length > 0);
  assert.equal(answers.getResponseById("nobody").status, 404);
});

test("refusals are the vendor's: an error with a code, and a number for a closed tenant", async () => {
  await assert.rejects(client.api("/users/nobody").get(), (error) => {
    assert.ok(error instanceof GraphError);
    assert.deepEqual([error.statusCode, error.code], [404, "Request_ResourceNotFound"]);
    return true;
  });
  await control("/faults", { vendor: "graph", kind: "too_many_requests", path_prefix: "/v1.0/organization", retry_after_s: 0 });
  assert.equal((await client.api("/organization").get()).value[0].id, tenant.tenant_id);
  const nobody = await token("0f0f0f0f-0000-4000-8000-000000000000");
  assert.deepEqual([nobody.status, nobody.body.error_codes], [400, [90002]]);
  assert.equal((await token("acmedental.example")).status, 200);
});
