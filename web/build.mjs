// Builds what browsers load into web/static/dist: scripts, styles, fonts, the icon sprite, and manifest.json that
// says under which hashed name each of them lies. `--watch` rebuilds on change.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import zlib from "node:zlib";
import * as esbuild from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, "static", "dist");
const icons = path.join(here, "..", "node_modules", "lucide-static", "icons");
const watching = process.argv.includes("--watch");

/** Returns the sprite: one <symbol> for each icon that web/icons.json names. */
async function sprite() {
  const names = JSON.parse(await readFile(path.join(here, "icons.json"), "utf8"));
  const symbols = await Promise.all(names.map(async (name) => {
    const svg = await readFile(path.join(icons, `${name}.svg`), "utf8");
    const body = svg.replace(/<!--.*?-->/gs, "").match(/<svg[^>]*>(.*)<\/svg>/s)[1].replace(/\s+/g, " ").trim();
    return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round" `
      + `stroke-linejoin="round">${body}</symbol>`;
  }));
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
}

/** Writes `content` under a name that holds its hash; returns that name. */
async function emit(name, content) {
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const { name: stem, ext } = path.parse(name);
  const hashed = `${stem}-${digest}${ext}`;
  await writeFile(path.join(out, hashed), content);
  return hashed;
}

/** Returns logical name -> hashed name for everything esbuild wrote. */
function entries(metafile) {
  const found = {};
  for (const [file, output] of Object.entries(metafile.outputs)) {
    const hashed = path.basename(file);
    if (hashed.endsWith(".map")) continue;
    const logical = output.entryPoint
      ? path.basename(output.entryPoint).replace(/\.ts$/, ".js")
      : hashed.replace(/-[A-Z0-9]{8}(?=\.[a-z0-9]+$)/, "");
    found[output.entryPoint || /\.woff2$/.test(hashed) ? logical : hashed] = hashed;
  }
  return found;
}

/** Puts a Brotli twin beside each text file, so that no request pays for compression. */
async function compress() {
  const brotli = promisify(zlib.brotliCompress);
  for (const name of await readdir(out)) {
    const file = path.join(out, name);
    if (!/\.(js|css|svg)$/.test(name) || (await stat(file)).size < 1024) continue;
    await writeFile(`${file}.br`, await brotli(await readFile(file)));
  }
}

/** Puts `content` in the place of `name` at once: a backend that runs never reads half of it. */
async function replace(name, content) {
  const draft = path.join(out, `${name}.${process.pid}`);
  await writeFile(draft, content);
  await rename(draft, path.join(out, name));
}

/** Removes what earlier builds left, after the manifest stopped naming it: at no moment is a named file missing. */
async function sweep(metafile, files) {
  const wanted = new Set([...Object.keys(metafile.outputs).map((file) => path.basename(file)), ...Object.values(files), "manifest.json"]);
  for (const name of await readdir(out)) {
    if (!wanted.has(name.replace(/\.br$/, ""))) await rm(path.join(out, name), { force: true });
  }
}

const manifest = {
  name: "manifest",
  setup(build) {
    build.onEnd(async (result) => {
      if (result.errors.length) return;
      const files = entries(result.metafile);
      files["icons.svg"] = await emit("icons.svg", await sprite());
      files["favicon.svg"] = await emit("favicon.svg", await readFile(path.join(here, "static", "favicon.svg")));
      if (!watching) await compress();
      await replace("manifest.json", JSON.stringify(files, null, 1));
      await sweep(result.metafile, files);
    });
  },
};

await mkdir(out, { recursive: true });
const context = await esbuild.context({
  absWorkingDir: here,
  entryPoints: ["src/app.ts", "src/early.ts", "src/arrive.ts", "styles/app.css"],
  outdir: out,
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["es2022", "chrome123", "firefox128", "safari17.5"],
  minify: !watching,
  sourcemap: true,
  metafile: true,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".woff2": "file" },
  logLevel: "info",
  plugins: [manifest],
});
if (watching) {
  await context.watch();
} else {
  await context.rebuild();
  await context.dispose();
}
