// Writes dist/THIRD_PARTY_NOTICES.txt: the licences of all that is bundled or shipped beside our own code, as those
// licences ask.
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Debian's packages of the libraries that go beside the addon. */
const shippedPackages = ["libbpf1", "libelf1", "zlib1g"];

/**
 * @param {import("esbuild").Metafile[]} metafiles what the bundles were made of
 * @param {string} target
 */
export function writeNotices(metafiles, target) {
  const inputs = metafiles.flatMap(({ inputs }) => Object.keys(inputs));
  const names = inputs.map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]).filter(Boolean);
  const packages = [...new Set([...names, "node-addon-api"])].sort();
  const npm = packages.map((name) => notice(describe(name), npmLicence(join("node_modules", name))));
  const libraries = shippedPackages.map((name) => notice(name, debianLicence(name)));
  writeFileSync(target, [...npm, ...libraries].join("\n\n"));
}

/** @param {string} title @param {string | null} text */
function notice(title, text) {
  return `${"=".repeat(78)}\n${title}\n${"=".repeat(78)}\n\n${text ?? "The package carries no licence text."}\n`;
}

/** @param {string} name */
function describe(name) {
  const { version, license } = JSON.parse(readFileSync(join("node_modules", name, "package.json"), "utf8"));
  return `${name} ${version} (${license})`;
}

/** @param {string} folder */
function npmLicence(folder) {
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)/i.test(name));
  return file === undefined ? null : readFileSync(join(folder, file), "utf8").trim();
}

/** @param {string} name */
function debianLicence(name) {
  const file = `/usr/share/doc/${name}/copyright`;
  return existsSync(file) ? readFileSync(file, "utf8").trim() : null;
}
