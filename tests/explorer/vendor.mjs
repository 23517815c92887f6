// Copies the documentation page's files out of the package they come from; with --check it only says which of ours differ.
import { readFileSync, writeFileSync } from "node:fs";

const from = new URL("../../node_modules/swagger-ui-dist/", import.meta.url);
const to = new URL("../../app/explorer/static/", import.meta.url);
const files = [
  "LICENSE",
  "NOTICE",
  "favicon-32x32.png",
  "swagger-ui-bundle.js",
  "swagger-ui-bundle.js.LICENSE.txt",
  "swagger-ui.css",
];

// A source map is not shipped, so nothing may point at one: a browser's developer tools would ask for it in vain.
function wanted(file) {
  const bytes = readFileSync(new URL(file, from));
  const text = bytes.toString("latin1");
  const pointer = /\n*(\/\/[#@] sourceMappingURL=.*|\/\*[#@] sourceMappingURL=[^*]*\*\/)\s*$/;
  const kept = text.replace(pointer, "\n/* Changed here: the pointer to a source map was taken out. */\n");
  return Buffer.from(kept, "latin1");
}

const differing = files.filter((file) => {
  try {
    return !wanted(file).equals(readFileSync(new URL(file, to)));
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    return true;
  }
});
if (process.argv.includes("--check")) {
  for (const file of differing) console.error(`${file} is not the file of the package; run: npm run vendor`);
  process.exitCode = differing.length ? 1 : 0;
} else {
  for (const file of differing) writeFileSync(new URL(file, to), wanted(file));
  console.log(`${differing.length} of ${files.length} files brought up to date`);
}
