/**
 * Programs in a real browser: bundled by vite, served over a loopback address, driven in Chromium. The minimal program has
 * nothing configured: what its bundle needs beyond the program itself would be asked of the server and fail here. Pages
 * below /isolated/ are cross-origin isolated: they may share memory with workers.
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

/** What keeps all pages in one process: none of them can be isolated then. */
const SINGLE = /single-process|no-zygote|site-isolation|web-security|disable-features|SharedArrayBuffer/;

let folder = "";
let server: Server | null = null;
let browser: Browser | null = null;
let reason = "";
const asked: string[] = [];

async function serve(root: string): Promise<Server> {
  const made = createServer((request, response) => {
    const name = new URL(request.url ?? "/", "http://localhost").pathname;
    asked.push(name);
    const isolated = name.startsWith("/isolated/");
    const wanted = isolated ? name.slice("/isolated".length) : name;
    const file = path.join(root, path.normalize(wanted.endsWith("/") ? `${wanted}index.html` : wanted));
    const headers = {
      "content-type": TYPES[path.extname(file)] ?? "application/octet-stream",
      ...(isolated && {
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
      }),
    };
    readFile(file).then(
      (bytes) => response.writeHead(200, headers).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((ready) => made.listen(0, "127.0.0.1", ready));
  return made;
}

/** A page with one program of this folder. */
async function bundle(program: string, outDir: string): Promise<void> {
  await build({
    root: import.meta.dirname,
    configFile: false,
    logLevel: "warn",
    build: {
      outDir,
      emptyOutDir: true,
      target: "es2023",
      modulePreload: false,
      rolldownOptions: {
        input: path.join(import.meta.dirname, `${program}.ts`),
        output: { entryFileNames: `${program}.js` },
      },
    },
  });
  const page = `<!doctype html><link rel="icon" href="data:,"><body><script type="module" src="${program}.js"></script></body>`;
  await writeFile(path.join(outDir, "index.html"), page);
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "chainrule-browser-"));
  await bundle("mlp", folder);
  await bundle("threads", path.join(folder, "threads"));
  server = await serve(folder);
  try {
    browser = await driver.launch({
      executablePath: await chromium.executablePath(),
      args: chromium.args.filter((a) => !SINGLE.test(a)),
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

/** What the page at `where` writes into its body's data, and what it complains of. */
async function visit(
  browser: Browser,
  server: Server,
  where: string,
): Promise<{ data: DOMStringMap; complaints: string[] }> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && complaints.push(`${m.type()}: ${m.text()}`));
  page.on("pageerror", (error) => complaints.push(`uncaught: ${error.message}`));
  page.on("requestfailed", (r) => complaints.push(`failed: ${r.url()}`));
  const failed = page.waitForEvent("pageerror", { timeout: 0 }).catch(() => undefined);
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}${where}`);
  await Promise.race([page.waitForSelector("body[data-losses]", { state: "attached", timeout: 60_000 }), failed]);
  const data = await page.evaluate(() => ({ ...document.body.dataset }));
  await page.close();
  return { data, complaints };
}

test("the minimal program trains in Chromium without any setting", { timeout: 90_000 }, async (context) => {
  if (browser === null || server === null) {
    context.skip(reason);
    return;
  }
  asked.length = 0;
  const { data, complaints } = await visit(browser, server, "/");
  expect(complaints).toEqual([]);
  const curve = JSON.parse(data["losses"] ?? "[]") as number[];
  expect(curve).toHaveLength(40);
  expect(curve.at(-1), `loss of each epoch: ${curve.join(", ")}`).toBeLessThan(curve[0] / 5);
  expect(Number(data["accuracy"])).toBeGreaterThan(0.95);
  // The page and the program: no other file is fetched.
  expect(asked).toEqual(["/", "/mlp.js"]);
});

test(
  "two threads train on a page that is cross-origin isolated, one elsewhere: the same bits",
  { timeout: 120_000 },
  async (context) => {
    if (browser === null || server === null) {
      context.skip(reason);
      return;
    }
    const alone = await visit(browser, server, "/threads/");
    const shared = await visit(browser, server, "/isolated/threads/");
    expect([alone.complaints, shared.complaints]).toEqual([[], []]);
    expect(JSON.parse(alone.data["device"] ?? "{}")).toMatchObject({
      name: "wasm",
      threads: 1,
      whyThreads: expect.stringContaining("not cross-origin isolated"),
    });
    expect(JSON.parse(shared.data["device"] ?? "{}")).toMatchObject({ name: "wasm", threads: 2, ready: 2 });
    const curve = JSON.parse(shared.data["losses"] ?? "[]") as number[];
    expect(curve).toHaveLength(5);
    expect(curve[4]).toBeLessThan(curve[0]);
    expect(alone.data["losses"]).toBe(shared.data["losses"]);
  },
);
