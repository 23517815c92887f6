// Opens the documentation page in a real browser, tries one operation, and reports what was seen as one line of JSON.
//   node visit.mjs BASE_URL CHROMIUM
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [base, executablePath] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), "docs-page-"));
const seen = { operations: [], parameters: [], tried: null, requests: [], failed: [], console: [], errors: [], violations: [] };

const browser = await chromium.launchPersistentContext(profile, {
  executablePath,
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(30_000);
  page.on("request", (request) => request.url().startsWith("data:") || seen.requests.push(request.url()));
  page.on("requestfailed", (request) => seen.failed.push(request.url()));
  page.on("response", (response) => response.status() >= 400 && seen.failed.push(response.url()));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && seen.console.push(message.text()));
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  await page.exposeFunction("violated", (what) => seen.violations.push(what));
  await page.addInitScript(() =>
    document.addEventListener("securitypolicyviolation", (e) => window.violated(`${e.violatedDirective} ${e.blockedURI}`)),
  );

  await page.goto(`${base}/docs`);
  const operations = page.locator(".opblock");
  await operations.first().waitFor();
  seen.operations = await page
    .locator(".opblock-summary")
    .evaluateAll((all) =>
      all.map((one) =>
        [".opblock-summary-method", ".opblock-summary-path"]
          .map((part) => one.querySelector(part).textContent.replace(/\u200b/g, ""))
          .join(" "),
      ),
    );

  // The first operation that needs no parameter in its path, run as a reader would run it.
  const first = operations.filter({ hasNot: page.locator(".opblock-summary-path", { hasText: "{" }) }).first();
  await first.locator(".opblock-summary-control").click();
  await first.locator(".opblock-section-header").first().waitFor();
  seen.parameters = await first.locator(".parameters-col_description .renderedMarkdown").allInnerTexts();
  await first.locator("button.execute").click();
  const status = first.locator(".live-responses-table .response-col_status").last();
  await status.waitFor();
  seen.tried = (await status.innerText()).trim().split(/\s/)[0];
  await page.waitForLoadState("networkidle");

  // On a telephone: what lies beyond the right edge of the page, in pixels.
  await page.setViewportSize({ width: 360, height: 740 });
  seen.beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
console.log(JSON.stringify(seen));
