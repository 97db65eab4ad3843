// Three pages, one build. `npm run build` writes dist/, which the server serves: *.html at their routes, assets/ under /assets/.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { compressed, headerBar, preloaded } from "./build/plugins.js";

// In hexadecimal, so that a server can tell a hashed name (-[0-9a-f]{8}.), good for a year, from a stable one.
const output = { hashCharacters: "hex" };

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base: "/",
  plugins: [headerBar(here("src/bar.html")), preloaded({ "graphql.html": /\/(monaco-editor|mouseTarget|lite)-[^/]*\.(js|css)$/ }), compressed()],
  resolve: {
    alias: {
      // GraphiQL loads all of Monaco's editor; ours is the part of it that a query editor uses.
      "monaco-editor/esm/vs/editor/edcore.main.js": here("src/graphql/monaco.js"),
    },
  },
  worker: { format: "es", rolldownOptions: { output } },
  build: {
    license: { fileName: "assets/licenses.md" },
    // Monaco is one piece by nature: it is loaded once and then kept by the browser.
    chunkSizeWarningLimit: 2_500,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: ["home.html", "graphql.html", "docs.html"].map(here),
      output,
      // GraphiQL is published with "use no memo", a word to React's compiler, which does not run here.
      checks: { moduleLevelDirective: false },
    },
  },
});
