// Packs what is served, so that the server compresses nothing while it serves. `node pack.js FOLDER` does it by hand.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const TEXT = /\.(js|css|svg|json|md|ttf|html|xml|graphql)$/;

/** Writes a `.br` and a `.gz` beside each text file of a folder, where that is smaller. */
export function pack(folder) {
  for (const name of readdirSync(folder, { recursive: true })) {
    if (!TEXT.test(name) || name.split(sep).includes("node_modules")) continue;
    const raw = readFileSync(join(folder, name));
    const packed = {
      gz: gzipSync(raw, { level: constants.Z_BEST_COMPRESSION }),
      br: brotliCompressSync(raw, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: raw.length } }),
    };
    for (const [suffix, bytes] of Object.entries(packed)) {
      if (bytes.length < raw.length) writeFileSync(join(folder, `${name}.${suffix}`), bytes);
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) pack(process.argv[2]);
