// The site: pages from .cache/content, formulas rendered at build, a search without a server.
import { katex } from "@mdit/plugin-katex";
import { defineConfig } from "vitepress";
import { guide, reference } from "../lib/navigation.mjs";

const side = guide();

export default defineConfig({
  title: "Chainrule",
  titleTemplate: ":title · Chainrule",
  description: "Deep learning in TypeScript: a whole training step compiled into one program.",
  lang: "en",
  srcDir: ".cache/content",
  // Rendering the reference for the search takes a minute: while pages are written it is left out.
  srcExclude: process.argv.includes("dev") ? ["api/**"] : [],
  outDir: "dist",
  cacheDir: ".cache/vite",
  // The list of pages once, not in every page.
  metaChunk: true,
  head: [["link", { rel: "icon", type: "image/svg+xml", href: "/logo.svg" }]],
  markdown: {
    theme: { light: "github-light", dark: "github-dark-dimmed" },
    // Braces are sets and exponents here, not attributes.
    attrs: { disable: true },
    // Vue would read the braces of TeX, which stands in the formula's annotation.
    config: (md) =>
      void md.use(katex, {
        transformer: (html) => html.replaceAll(/<(span|p) class="katex/g, '<$1 v-pre class="katex'),
      }),
  },
  transformPageData: ({ relativePath, frontmatter }) => {
    if (relativePath.startsWith("api/"))
      Object.assign(frontmatter, { pageClass: "reference", prev: false, next: false });
  },
  themeConfig: {
    logo: "/logo.svg",
    nav: [
      { text: "Start", link: "/getting-started", activeMatch: "^/(getting-started|one-page|keras|pytorch)" },
      ...(side.some(({ text }) => text === "Areas")
        ? [{ text: "Areas", link: "/areas/", activeMatch: "^/areas/" }]
        : []),
      { text: "Examples", link: "/examples/", activeMatch: "^/examples/" },
      { text: "API", link: "/api/", activeMatch: "^/api/" },
    ],
    sidebar: { "/": side, "/api/": reference() },
    outline: { level: [2, 3] },
    search: {
      provider: "local",
      options: { miniSearch: { searchOptions: { boost: { title: 4, text: 1, titles: 1 }, fuzzy: 0.1, prefix: true } } },
    },
    docFooter: { prev: "Before", next: "Next" },
  },
  vite: { server: { host: "127.0.0.1" }, build: { chunkSizeWarningLimit: 4000, assetsInlineLimit: 0 } },
});
