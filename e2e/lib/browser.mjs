// Opens the console in a real browser and watches what a person would not see: console errors and failed requests.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { config } from "./config.mjs";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
mkdirSync(config.out, { recursive: true });

export const SIZES = { desktop: { width: 1440, height: 900 }, phone: { width: 375, height: 812 } };
const WAIT_MS = 15_000;
const AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export function launch() {
  return chromium.launch({ executablePath: config.browser, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
}

/** A page in a context of its own, with its complaints. */
export async function open(browser, { size = "desktop", dark = false, session } = {}) {
  const context = await browser.newContext({
    viewport: SIZES[size],
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
    acceptDownloads: true,
    ...(session ? { storageState: session } : {}),
  });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const complaints = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(`${page.url()}: ${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`${page.url()}: uncaught: ${error.message}`));
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.request().method()} ${response.url()}`);
  });
  page.on("requestfailed", (request) => {
    // A page that is left takes its open reads with it.
    if (request.failure()?.errorText !== "net::ERR_ABORTED") complaints.push(`${request.failure()?.errorText} ${request.url()}`);
  });
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith("http") && origin !== new URL(config.url).origin) complaints.push(`another host was asked: ${request.url()}`);
  });
  return { context, page, complaints };
}

/** Everything that the page waits for is there: no skeleton is left, and no table waits for more of its rows. */
export async function settled(page) {
  await page.waitForFunction(() => document.querySelector("h1") !== null && document.querySelector('.skeleton, table[aria-busy="true"]') === null);
}

export async function go(page, path) {
  await page.goto(config.url + path);
  await settled(page);
}

export async function signIn(page, email, password = config.password) {
  await page.goto(`${config.url}/sign-in`);
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => url.pathname === "/");
  await settled(page);
}

/** Signs in once for a file of tests: the session to open pages with, and the token to ask the API with. */
export async function staffSession(browser) {
  const { context, page } = await open(browser);
  await signIn(page, config.staff);
  const signedIn = { session: await context.storageState(), token: await tokenOf(page) };
  await context.close();
  return signedIn;
}

/** Finds nothing to complain about on the settled page, or says where. */
export async function accessible(page, name) {
  await settled(page);
  await page.evaluate(axeSource);
  const found = await page.evaluate(async (rules) => {
    const { violations } = await globalThis.axe.run(document, { runOnly: rules });
    return violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target.join(" ")).join(", ")}`);
  }, AXE_RULES);
  assert.deepEqual(found, [], `axe on ${name}`);
}

export async function noSidewaysScroll(page, name) {
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(beyond, 0, `${name} is ${beyond} px wider than the screen`);
}

export async function picture(page, name, fullPage = false) {
  await page.screenshot({ path: new URL(`${name}.png`, config.out).pathname, fullPage });
}

/** The token of the signed-in person, to ask the API what the screens do not. */
export function tokenOf(page) {
  return page.evaluate(() => JSON.parse(localStorage.getItem("obera.session") ?? "{}").access_token ?? null);
}

export async function rest(token, path, init = {}) {
  const response = await fetch(`${config.url}${path}`, {
    ...init,
    headers: { apikey: "console", authorization: `Bearer ${token}`, "content-type": "application/json", ...init.headers },
    signal: AbortSignal.timeout(WAIT_MS),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? null : JSON.parse(text) };
}

/** Asks again until it is so; says what it waited for when it never is, and what `say` makes of it. */
export async function until(what, ask, { withinMs = 60_000, everyMs = 500, say } = {}) {
  const end = Date.now() + withinMs;
  let last = null;
  while (Date.now() < end) {
    last = await ask();
    if (last) return last;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  throw new Error(`waited ${withinMs} ms for: ${what}; last seen: ${say ? say() : JSON.stringify(last)}`);
}
