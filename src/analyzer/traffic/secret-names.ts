// The one table of names whose values are secrets, and of strings that are secrets whatever they are called. Where such
// names and strings occur is for redact.ts to find.
import { remembered } from "./remembered.ts";

/** Parts of a name, in lower case and without separators: `X-Api-Key`, `apiKey` and `my_api_key` all have `apikey`. */
const nameParts = [
  ..."password passwd passphrase passcode secret apikey accesskey privatekey sharedkey authkey".split(" "),
  ..."accountkey encryptionkey functionskey masterkey signingkey subscriptionkey".split(" "),
  ..."credential authorization sessionid sessionkey sessid signature cardnumber codeverifier".split(" "),
  ..."samlresponse samlrequest assertion connectionstring".split(" "),
];

/** Whole words of a name: `user_pin`, `otpCode`, `csrf`. A word that ends in `token` counts as well. */
const nameWords = new Set([
  ..."pass pwd pw pin auth otp totp session sid cookie cookies jwt bearer csrf xsrf ssn cvv cvc mfa".split(
    " ",
  ),
]);

/** Whole names of URL parameters and form fields that elsewhere are too common to hide. */
const parameterNames = new Set(["code", "key", "sig"]);

/** `token_type` names no token. */
const harmlessLastWords = new Set(["type", "endpoint", "count", "limit"]);

/**
 * True when the value under this name is to be masked. Plain numbers under `max_tokens` and its like are counts.
 * @param place `parameter` for URLs and forms
 */
export function isSecretName(name: string, value: string, place: "field" | "parameter"): boolean {
  switch (judge(name, "")) {
    case "secret":
      return true;
    case "parameter":
      return place === "parameter";
    case "counts":
      return !/^\d{1,9}$/.test(value);
    case "open":
      return false;
  }
}

/** What a name says of its value; `counts` is secret unless it is a plain number. */
type Judgement = "secret" | "parameter" | "counts" | "open";

const judge = remembered((name): Judgement => {
  const words = name
    .slice(0, 256)
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
  const last = words.at(-1) ?? "";
  const joined = words.join("");
  if (parameterNames.has(joined)) return "parameter";
  if (nameParts.some((part) => joined.includes(part))) return "secret";
  if (harmlessLastWords.has(last)) return "open";
  if (last.endsWith("tokens")) return "counts";
  return words.some((word) => nameWords.has(word) || word.endsWith("token")) ? "secret" : "open";
});

/** Schemes of Authorization that may stay readable (RFC 9110, section 11.1). */
export const authenticationSchemes =
  /^(?:Basic|Bearer|Digest|DPoP|HOBA|Mutual|Negotiate|NTLM|OAuth|Token|ApiKey|AWS4-HMAC-SHA256|SCRAM-SHA-\d+)(?= )/i;

/** Attributes of Set-Cookie that say nothing secret (RFC 6265, section 5.2, and its successors). */
export const cookieAttributes = new Set([
  ..."expires max-age domain path secure httponly samesite partitioned priority".split(" "),
]);

/** JSON Web Tokens, also cut ones, and keys that their issuers gave a prefix to be found by. */
export const secretStrings = new RegExp(
  [
    String.raw`\beyJ[\w-]{8,}(?:\.[\w-]*){0,4}`,
    String.raw`\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|sk-|sk_live_|sk_test_|rk_live_|npm_|pypi-|hf_)[\w-]{12,}`,
    String.raw`\b(?:AKIA|ASIA)[0-9A-Z]{16}\b`,
    String.raw`\bAIza[\w-]{30,}`,
    String.raw`-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[^-]{0,65536}(?:-----END [A-Z ]{0,32}PRIVATE KEY-----)?`,
  ].join("|"),
  "g",
);
