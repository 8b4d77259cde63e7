// Runs Lighthouse on the console's sign-in page, and, signed in, on its devices. Reads its task as JSON from standard
// input, writes the scores as JSON to standard output. Started by `bench console`; Lighthouse comes from npm at run time.
import { createRequire } from "node:module";
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const task = JSON.parse(readFileSync(0, "utf8"));
// The program is <package>/cli/index.js behind a link.
const home = dirname(dirname(realpathSync(task.lighthouse)));
const { default: lighthouse, desktopConfig } = await import(pathToFileURL(join(home, "core/index.js")).href);
const puppeteer = createRequire(join(home, "package.json"))("puppeteer-core");

const profile = mkdtempSync(join(tmpdir(), "obera-lighthouse-"));
const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
const browser = await puppeteer.launch({ executablePath: task.chromium, headless: true, userDataDir: profile, args: sandbox });

async function score(page, name, form, path) {
  const flags = { disableStorageReset: true, onlyCategories: ["performance", "accessibility", "best-practices"], logLevel: "error" };
  const result = await lighthouse(task.url + path, flags, form === "desktop" ? desktopConfig : undefined, page);
  const { categories, audits, runtimeError } = result.lhr;
  if (runtimeError) throw new Error(`${name}: ${runtimeError.message}`);
  const of100 = (category) => Math.round((categories[category].score ?? 0) * 100);
  return {
    name,
    form,
    performance: of100("performance"),
    accessibility: of100("accessibility"),
    bestPractices: of100("best-practices"),
    largestPaintS: audits["largest-contentful-paint"].numericValue / 1000,
    blockingMs: audits["total-blocking-time"].numericValue,
    shift: audits["cumulative-layout-shift"].numericValue,
  };
}

async function signIn(page) {
  await page.goto(`${task.url}/sign-in`, { waitUntil: "networkidle0" });
  await page.type("input[name=email]", task.email);
  await page.type("input[name=password]", task.password);
  await page.click("button[type=submit]");
  await page.waitForFunction(() => !location.pathname.startsWith("/sign-in"), { timeout: 30_000 });
}

try {
  const page = await browser.newPage();
  const pages = [];
  for (const form of ["desktop", "phone"]) pages.push(await score(page, "sign-in", form, "/sign-in"));
  if (task.password) {
    await signIn(page);
    for (const form of ["desktop", "phone"]) pages.push(await score(page, "devices", form, "/devices"));
  } else {
    console.error("No password was given (--password or OBERA_DEMO_PASSWORD): only the sign-in page is looked at.");
  }
  console.log(JSON.stringify(pages));
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
