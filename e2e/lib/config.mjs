// Where the product runs and who signs in. Everything comes from the environment; nothing has a secret default.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set. See e2e/README.md.`);
  return value;
}

const BROWSERS = ["chromium", "chromium-browser", "google-chrome"];

/** The browser of the machine: OBERA_CHROMIUM, or the first known name on the PATH. */
function browserPath() {
  if (process.env.OBERA_CHROMIUM) return process.env.OBERA_CHROMIUM;
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const name of BROWSERS) {
      const candidate = join(folder, name);
      try {
        accessSync(candidate, constants.X_OK);
        return candidate;
      } catch {
        // Not here; the next one.
      }
    }
  }
  throw new Error("No Chromium was found. Install it, or set OBERA_CHROMIUM.");
}

export const config = {
  url: required("OBERA_URL").replace(/\/$/, ""),
  password: required("OBERA_PASSWORD"),
  staff: process.env.OBERA_STAFF ?? "owner@msp.example",
  browser: browserPath(),
  out: new URL("../out/", import.meta.url),
};
