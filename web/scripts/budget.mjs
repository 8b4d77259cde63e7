// Measures the built console against its budgets: JavaScript a first visit loads, and what any later route adds.
// Reads dist/.vite/manifest.json; exits 1 when a budget is broken. Sizes are gzip, level 9.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const FIRST_LOAD_BYTES_MAX = 200 * 1024;
const ROUTE_BYTES_MAX = 120 * 1024;
const FIRST_PAGES = ["src/pages/overview/Overview.tsx", "src/pages/sign-in/SignIn.tsx"];

const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));
const sizes = new Map();

function gzipBytes(file) {
  if (!sizes.has(file)) sizes.set(file, gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length);
  return sizes.get(file);
}

/** Every chunk that loads with `key`: itself and its static imports. */
function closure(key, into = new Set()) {
  if (into.has(key)) return into;
  into.add(key);
  for (const next of manifest[key].imports ?? []) closure(next, into);
  return into;
}

const scripts = (keys) => [...keys].map((key) => manifest[key].file).filter((file) => file.endsWith(".js"));
const total = (files) => [...new Set(files)].reduce((sum, file) => sum + gzipBytes(file), 0);
const kb = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;

const entryKey = Object.keys(manifest).find((key) => manifest[key].isEntry);
const entry = closure(entryKey);
let failed = 0;

console.log(`entry: ${kb(total(scripts(entry)))} gzip`);
for (const page of FIRST_PAGES) {
  if (!manifest[page]) continue;
  const keys = closure(page, new Set(entry));
  // The toasts are split off, but every visit loads them.
  closure("src/app/Notifications.tsx", keys);
  const bytes = total(scripts(keys));
  const ok = bytes <= FIRST_LOAD_BYTES_MAX;
  if (!ok) failed += 1;
  console.log(`${ok ? "ok  " : "OVER"} first load ${page}: ${kb(bytes)} of ${kb(FIRST_LOAD_BYTES_MAX)}`);
}
for (const [key, chunk] of Object.entries(manifest)) {
  if (!chunk.isDynamicEntry) continue;
  const files = scripts(closure(key)).filter((file) => !scripts(entry).includes(file));
  const bytes = total(files);
  const ok = bytes <= ROUTE_BYTES_MAX;
  if (!ok) failed += 1;
  console.log(`${ok ? "ok  " : "OVER"} later ${key}: ${kb(bytes)}`);
}
process.exit(failed === 0 ? 0 : 1);
