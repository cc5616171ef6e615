// Masks secrets in what is shown and exported: headers, URLs, forms, XML and plain text, whole or cut off; JSON has its
// own file. The mask has one length, whatever it hides. Which names and strings are secrets is for secret-names.ts.
import type { Header } from "../../protocol/traffic.ts";
import { maskJson } from "./redact-json.ts";
import { remembered } from "./remembered.ts";
import { authenticationSchemes, cookieAttributes, isSecretName, secretStrings } from "./secret-names.ts";

const defaultFiller = "••••••";

/** What a text must hold, one of them at least, for a rule to find something in it: a rule costs far more to run. */
const rules: readonly { mask(text: string, mask: string): string; marks: readonly string[] }[] = [
  { mask: maskJson, marks: ['"', "'"] },
  { mask: maskMultipart, marks: ["="] },
  { mask: maskPairs, marks: ["=", "%3D", "%3d"] },
  { mask: maskLines, marks: [":"] },
  { mask: maskLogins, marks: ["PASS", "AUTH", "LOGIN"] },
  { mask: maskRedisAuth, marks: ["\r\n$"] },
  { mask: maskElements, marks: ["<"] },
  { mask: maskUrlUsers, marks: ["//"] },
  { mask: maskLoose, marks: [""] },
];

/** A text with its secrets masked, in linear time. Text that holds none comes back as it is. */
export function maskText(text: string, filler = defaultFiller): string {
  const mask = filler.padEnd(defaultFiller.length, filler);
  return rules.reduce(
    (masked, rule) => (rule.marks.some((mark) => masked.includes(mark)) ? rule.mask(masked, mask) : masked),
    text,
  );
}

/** A request target: every value of its query is judged by its name, whatever characters it has. */
export function maskTarget(target: string): string {
  const query = target.indexOf("?");
  return maskText(query === -1 ? target : target.slice(0, query + 1) + maskForm(target.slice(query + 1)));
}

/** A form body (application/x-www-form-urlencoded), also where the client did not encode it. */
export function maskForm(form: string, filler = defaultFiller): string {
  const mask = filler.padEnd(defaultFiller.length, filler);
  const pairs = form.split("&").map((pair) => {
    const equals = pair.indexOf("=");
    const name = decoded(pair.slice(0, Math.max(0, equals)));
    const value = pair.slice(equals + 1);
    return value !== "" && isSecretName(name, value, "parameter") ? `${pair.slice(0, equals)}=${mask}` : pair;
  });
  return maskText(pairs.join("&"), filler);
}

/**
 * Headers with the values of secret ones masked; what is no secret in them stays: schemes, cookie names, attributes.
 * A value whose name is not known may be any header's.
 */
export function maskHeaders(headers: readonly Header[]): Header[] {
  return headers.map(([name, value]) => {
    if (value === null) return [name, null];
    return [name, name === null ? defaultFiller : maskField(name, value)];
  });
}

const maskField = remembered((name, value) => maskHeader(name, value, defaultFiller));

function maskHeader(name: string, value: string, mask: string): string {
  const lower = name.toLowerCase();
  if (lower === "cookie")
    return value
      .split(";")
      .map((pair) => maskCookie(pair, mask))
      .join(";");
  if (lower === "set-cookie") {
    const [pair = "", ...attributes] = value.split(";");
    return [maskCookie(pair, mask), ...attributes.map((attribute) => maskAttribute(attribute, mask))].join(
      ";",
    );
  }
  if (lower === "authorization" || lower === "proxy-authorization") {
    const scheme = authenticationSchemes.exec(value)?.[0];
    return scheme === undefined ? mask : `${scheme} ${mask}`;
  }
  return value !== "" && isSecretName(name, value, "field") ? mask : maskText(value);
}

function maskCookie(pair: string, mask: string): string {
  const equals = pair.indexOf("=");
  const space = /^\s?/.exec(pair)?.[0] ?? "";
  return equals === -1 ? (pair.trim() === "" ? pair : space + mask) : `${pair.slice(0, equals)}=${mask}`;
}

function maskAttribute(attribute: string, mask: string): string {
  const name = (attribute.split("=")[0] ?? "").trim().toLowerCase();
  return cookieAttributes.has(name) ? attribute : maskCookie(attribute, mask);
}

/** Parts of a multipart form (RFC 7578). */
function maskMultipart(text: string, mask: string): string {
  const part = /(form-data;([^\r\n]{1,512})\r?\n(?:[^\r\n]{1,512}\r?\n){0,8}\r?\n)([^]*?)(?=\r?\n--|$)/gi;
  return text.replace(part, (whole, head: string, parameters: string, value: string) => {
    const name = /\bname="?([^"\r\n;]{1,128})/i.exec(parameters)?.[1] ?? "";
    return value !== "" && isSecretName(name, value, "parameter") ? head + mask : whole;
  });
}

/** `name=value` in URLs, forms, logs and attributes; also with the `=` of a URL inside a URL. */
function maskPairs(text: string, mask: string): string {
  const names = /(?<=^|[^\w.\-[\]$]|%[0-9A-Fa-f]{2})((?:[\w.\-[\]$]|%5[BDbd]){1,128})(?:=|%3[Dd])/g;
  const values = /"[^"]*"?|'[^']*'?|[^&\s"<>\\]*/y;
  let masked = "";
  let done = 0;
  for (let match = names.exec(text); match !== null; match = names.exec(text)) {
    const before = text[match.index - 1] ?? "";
    // After a percent sign the first two characters are the rest of an encoded separator.
    const name = decoded((match[1] ?? "").slice(before === "%" ? 2 : 0));
    const place = /^[?&%]?$/.test(before) ? "parameter" : "field";
    // The value is read only under a secret name: elsewhere it may hold pairs of its own.
    if (
      !isSecretName(name, text.slice(names.lastIndex, names.lastIndex + 16).split(/[^\w]/, 1)[0] ?? "", place)
    )
      continue;
    values.lastIndex = names.lastIndex;
    values.exec(text);
    if (values.lastIndex <= names.lastIndex) continue;
    masked += text.slice(done, names.lastIndex) + mask;
    done = values.lastIndex;
    names.lastIndex = done;
  }
  return masked + text.slice(done);
}

/** Lines such as `Authorization: Bearer …` and `password: …`. */
function maskLines(text: string, mask: string): string {
  return text.replace(
    /^([ \t-]{0,64})([\w.-]{1,64})([ \t]{0,8}:[ \t]{0,8})(\S.*)$/gm,
    (whole, indent: string, ...rest) => {
      const [name, colon, value] = rest as [string, string, string];
      const secret = isSecretName(name, value, "field");
      return secret ? indent + name + colon + maskHeader(name, value, mask) : whole;
    },
  );
}

/** The log-in commands of mail and FTP. */
function maskLogins(text: string, mask: string): string {
  return text.replace(/^(PASS|AUTH(?: [A-Z0-9-]{1,20}(?= ))?|\S{1,16} LOGIN) +\S.*$/gm, `$1 ${mask}`);
}

/** The log-in command of Redis (RESP). */
function maskRedisAuth(text: string, mask: string): string {
  return text.replace(/\b(AUTH\r\n)\$[^*]{1,512}/gi, `$1${mask}`);
}

/** `<password>…</password>` of XML, with or without CDATA. */
function maskElements(text: string, mask: string): string {
  const element = /(<([\w:.-]{1,128})(?:\s[^<>]{0,512})?>(?:<!\[CDATA\[)?)([^<\]]+)/g;
  return text.replace(element, (whole, start: string, name: string, value: string) =>
    value.trim() !== "" && isSecretName(name, value, "field") ? start + mask : whole,
  );
}

/** User information in URLs. */
function maskUrlUsers(text: string, mask: string): string {
  return text.replace(/(\/\/[^\s/:@"'<>?#]{0,256}:)[^\s/@"'<>?#]{1,256}@/g, `$1${mask}@`);
}

/** Secrets that need no name: credentials after their scheme, tokens by their form. */
function maskLoose(text: string, mask: string): string {
  return text
    .replace(/\b(Bearer|Basic)(\s{1,8})(?=\S{0,512}?[A-Z0-9=._-])[\w.~+/=-]{8,}/g, `$1$2${mask}`)
    .replace(secretStrings, mask);
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll("+", " "));
  } catch {
    return name;
  }
}
