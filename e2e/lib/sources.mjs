// What a signed-in person reads from the data API and asks of sources.
import assert from "node:assert/strict";
import { rest, until } from "./browser.mjs";

const SYNC_MS = 120_000;
/** Each vendor's function, and what it is asked for when a test does not say. */
const SYNC = {
  ninjaone: ["ninjaone-sync", { kind: "full" }],
  microsoft: ["microsoft-sync", { kind: "full" }],
  revio: ["revio-data", { action: "sync" }],
  cipp: ["cipp-sync", { action: "sync_tenants" }],
  sharepoint: ["sharepoint-sync", { action: "sync", kind: "full" }],
};

/** What the owner of this token may do, by the data API and functions. */
export function as(token) {
  const read = async (path) => {
    const { status, body } = await rest(token, `/rest/v1/${path}`);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };
  const post = (name, body) => rest(token, `/functions/v1/${name}`, { method: "POST", body: JSON.stringify(body) });
  const sourceOf = async (vendor) => {
    const [source] = await read(`source_list?select=*&vendor=eq.${vendor}&enabled=is.true&limit=1`);
    assert.ok(source, `a source of ${vendor}`);
    return source;
  };
  const ended = (run) => until(`the end of ${run}`, async () => (await read(`sync_runs?id=eq.${run}&ended_at=not.is.null&select=*`))[0] ?? null, { withinMs: SYNC_MS });
  /** A synchronization that began after this call, to its end: its row. */
  const synchronize = async (vendor, input = {}) => {
    const { id } = await sourceOf(vendor);
    const [name, usual] = SYNC[vendor];
    const run = await until(`a synchronization of ${vendor} of our own`, async () => {
      const { status, body } = await post(name, { integration_id: id, ...usual, ...input });
      assert.equal(status, 200, JSON.stringify(body));
      return body.already_running ? null : body.sync_run_id;
    }, { withinMs: SYNC_MS });
    return ended(run);
  };
  return { read, post, sourceOf, synchronize, ended };
}
