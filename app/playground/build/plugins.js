// What Vite does not do by itself, in three small plugins.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pack } from "./pack.js";

/** Puts the one header bar into each page at `<!-- bar -->`, and marks the link of the page itself. */
export function headerBar(file) {
  const route = { home: "/", graphql: "/graphql", docs: "/docs" };
  return {
    name: "gateway-header-bar",
    transformIndexHtml: {
      order: "pre",
      handler(html, { path }) {
        const here = `href="${route[path.match(/(\w+)\.html$/)?.[1]]}"`;
        const [brand, links] = readFileSync(file, "utf8").trim().split("<nav");
        return html.replace("<!-- bar -->", `${brand}<nav${links.replace(here, `${here} aria-current="page"`)}`);
      },
    },
  };
}

/** Asks for the late parts of a page at once (`{page: pattern of file names}`) instead of after the first has run. */
export function preloaded(pages) {
  return {
    name: "gateway-preloaded",
    transformIndexHtml: {
      order: "post",
      handler(html, { bundle, path }) {
        const pattern = pages[path.replace(/^\//, "")];
        if (!bundle || !pattern) return [];
        return Object.keys(bundle)
          .filter((name) => pattern.test(`/${name}`) && !html.includes(name))
          .sort()
          .map((name) => ({
            tag: "link",
            attrs: name.endsWith(".css")
              ? { rel: "preload", as: "style", href: `/${name}`, crossorigin: true }
              : { rel: "modulepreload", href: `/${name}`, crossorigin: true },
            injectTo: "head",
          }));
      },
    },
  };
}

/** Packs all assets. */
export function compressed() {
  let folder;
  return {
    name: "gateway-compressed",
    apply: "build",
    configResolved(config) {
      folder = join(config.root, config.build.outDir, "assets");
    },
    closeBundle() {
      pack(folder);
    },
  };
}
