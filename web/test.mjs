// Runs the unit tests of the pure TypeScript modules (web/src/**/*.test.ts) with node's own test runner.
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const source = path.join(path.dirname(fileURLToPath(import.meta.url)), "src");
const tests = (await readdir(source, { recursive: true })).filter((name) => name.endsWith(".test.ts"));
const out = await mkdtemp(path.join(tmpdir(), "arcane-web-tests-"));
try {
  await esbuild.build({
    entryPoints: tests.map((name) => path.join(source, name)),
    outdir: out,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    sourcemap: "inline",
  });
  const built = (await readdir(out, { recursive: true })).filter((name) => name.endsWith(".test.mjs"));
  const run = spawnSync(process.execPath, ["--test", ...built.map((name) => path.join(out, name))], { stdio: "inherit" });
  process.exitCode = run.status ?? 1;
} finally {
  await rm(out, { recursive: true, force: true });
}
