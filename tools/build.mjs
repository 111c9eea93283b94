// Builds healthcert/web/assets into healthcert/static: hashed names and a manifest of them.
// Every .scss without a leading underscore becomes a sheet for each direction, every .js a module,
// every .svg is taken as it is. The typefaces of papers (PDF) are copied beside them.
// No clock and no path reaches the output, so the same sources give the same bytes anywhere.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import rtlcss from "rtlcss";
import * as sass from "sass";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const assets = join(root, "healthcert/web/assets");
const out = process.argv[2] ?? join(root, "healthcert/static");
const TARGET = ["chrome80", "firefox78", "safari14.1"];
// The licence of GOV.UK Frontend keeps its typeface and its arms; our pages load nothing by url().
const REFUSED = /GDS Transport|crown|crest|url\((?!["']?data:)/i;

// Amiri sets Arabic that can be read out of a PDF again; from Noto Sans Arabic it comes garbled.
const FACES = { "noto-sans": "NotoSans", amiri: "Amiri" };
const WEIGHTS = ["400Regular", "700Bold"];

const entries = (ending) =>
  readdirSync(assets).filter((name) => extname(name) === ending && !name.startsWith("_")).sort();

async function sheets(name) {
  const source = sass.compile(join(assets, name), {
    loadPaths: [join(root, "node_modules/govuk-frontend/dist")],
    quietDeps: true,
  }).css;
  const small = async (css) =>
    (await esbuild.transform(css, { loader: "css", minify: true, target: TARGET, legalComments: "none" })).code;
  const stem = name.slice(0, -".scss".length);
  return [[`${stem}.css`, await small(source)], [`${stem}.rtl.css`, await small(rtlcss.process(source))]];
}

async function script(name) {
  const built = await esbuild.build({
    entryPoints: [join(assets, name)], absWorkingDir: root, bundle: true, minify: true, write: false,
    format: "esm", target: TARGET, legalComments: "none",
  });
  return [name, built.outputFiles[0].text];
}

function hashed(name, text) {
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 10);
  return name.replace(/\.(\w+)$/, `.${digest}.$1`);
}

function compressed(text) {
  const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: text.length } };
  return { gz: gzipSync(text, { level: 9 }), br: brotliCompressSync(text, brotli) };
}

const built = [
  ...(await Promise.all(entries(".scss").map(sheets))).flat(),
  ...(await Promise.all(entries(".js").map(script))),
  ...entries(".svg").map((name) => [name, readFileSync(join(assets, name), "utf8")]),
];
for (const [name, text] of built) {
  const found = text.match(REFUSED);
  if (found) throw new Error(`${name} holds "${found[0]}", which may not be served`);
}

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, "fonts"), { recursive: true });
for (const [folder, face] of Object.entries(FACES))
  for (const weight of WEIGHTS) {
    const name = `${face}_${weight}.ttf`;
    copyFileSync(join(root, "node_modules/@expo-google-fonts", folder, weight, name), join(out, "fonts", name));
  }
const manifest = {};
for (const [name, text] of built) {
  manifest[name] = hashed(name, text);
  writeFileSync(join(out, manifest[name]), text);
  for (const [ending, bytes] of Object.entries(compressed(text)))
    writeFileSync(join(out, `${manifest[name]}.${ending}`), bytes);
}
writeFileSync(join(out, "manifest.json"), JSON.stringify(manifest, Object.keys(manifest).sort(), 2) + "\n");
