/**
 * The minimal program in a real browser: bundled by vite, served over a loopback address, driven in Chromium. Nothing is
 * configured: what this bundle needs beyond the program itself would be asked of the server and fail here.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import chromium from "@sparticuz/chromium";
import { type Browser, chromium as driver } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";

const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript" };
/** Chromium cannot be started here at all: no build for this platform, or a library of the system is missing. */
const NO_CHROMIUM =
  /ENOEXEC|ENOENT|EACCES|exec format|error while loading shared libraries|Failed to launch|No usable sandbox/i;

let folder = "";
let server: Server | null = null;
let browser: Browser | null = null;
let reason = "";
const asked: string[] = [];

async function serve(root: string): Promise<Server> {
  const made = createServer((request, response) => {
    const name = new URL(request.url ?? "/", "http://localhost").pathname;
    asked.push(name);
    const file = path.join(root, path.normalize(name === "/" ? "/index.html" : name));
    readFile(file).then(
      (bytes) =>
        response.writeHead(200, { "content-type": TYPES[path.extname(file)] ?? "application/octet-stream" }).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((ready) => made.listen(0, "127.0.0.1", ready));
  return made;
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "chainrule-browser-"));
  await build({
    root: import.meta.dirname,
    configFile: false,
    logLevel: "warn",
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: "es2023",
      modulePreload: false,
      rolldownOptions: { input: path.join(import.meta.dirname, "mlp.ts"), output: { entryFileNames: "mlp.js" } },
    },
  });
  const page = `<!doctype html><link rel="icon" href="data:,"><body><script type="module" src="/mlp.js"></script></body>`;
  await writeFile(path.join(folder, "index.html"), page);
  server = await serve(folder);
  try {
    browser = await driver.launch({
      executablePath: await chromium.executablePath(),
      args: chromium.args,
      headless: true,
      timeout: 50_000,
    });
  } catch (error) {
    const message = String(error);
    if (process.platform === "linux" && process.arch === "x64" && !NO_CHROMIUM.test(message)) throw error;
    reason = `Chromium cannot start on ${process.platform}-${process.arch}: ${message.split("\n")[0]}`;
  }
}, 120_000);

afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  await new Promise((done) => (server === null ? done(null) : server.close(done)));
  if (folder !== "") await rm(folder, { recursive: true, force: true });
});

test("the minimal program trains in Chromium without any setting", { timeout: 90_000 }, async (context) => {
  if (browser === null || server === null) {
    context.skip(reason);
    return;
  }
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && complaints.push(`${m.type()}: ${m.text()}`));
  page.on("pageerror", (error) => complaints.push(`uncaught: ${error.message}`));
  page.on("requestfailed", (r) => complaints.push(`failed: ${r.url()}`));
  const failed = page.waitForEvent("pageerror", { timeout: 0 }).catch(() => undefined);
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await Promise.race([page.waitForSelector("body[data-accuracy]", { state: "attached", timeout: 60_000 }), failed]);
  expect(complaints).toEqual([]);
  const { losses, accuracy } = await page.evaluate(() => ({ ...document.body.dataset }));
  const curve = JSON.parse(losses ?? "[]") as number[];
  expect(curve).toHaveLength(40);
  expect(curve.at(-1), `loss of each epoch: ${curve.join(", ")}`).toBeLessThan(curve[0] / 5);
  expect(Number(accuracy)).toBeGreaterThan(0.95);
  // The page and the program: no other file is fetched.
  expect(asked).toEqual(["/", "/mlp.js"]);
  await page.close();
});
