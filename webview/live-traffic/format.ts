// Numbers and instants as a person reads them in a narrow column. Units: bytes (powers of 1000, as browsers' network
// panels count), milliseconds, milliseconds since the epoch.

const byteUnits = ["B", "kB", "MB", "GB", "TB"];

/** `0 B`, `812 B`, `1.2 kB`, `34 kB`, `5.0 MB`. */
export function formatBytes(byteCount: number): string {
  let value = byteCount;
  let unit = 0;
  // 999.5 would round up to a fourth digit.
  while (value >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${byteUnits[unit] ?? ""}`;
}

/** `0.4 ms`, `12 ms`, `1.20 s`, `2 min 5 s`, `3 h 20 min`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 9.95) return `${durationMs.toFixed(1)} ms`;
  if (durationMs < 999.5) return `${durationMs.toFixed(0)} ms`;
  if (durationMs < 59_995) return `${(durationMs / 1000).toFixed(2)} s`;
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 3600) return twoUnits(seconds, "min", "s");
  return twoUnits(Math.round(seconds / 60), "h", "min");
}

/** An amount of the smaller unit, of which 60 make one of the larger. */
function twoUnits(amount: number, larger: string, smaller: string): string {
  const rest = amount % 60;
  return `${Math.floor(amount / 60)} ${larger}${rest === 0 ? "" : ` ${rest} ${smaller}`}`;
}

/** Local wall clock time with milliseconds, `14:03:07.250`; a dash when the instant is not a number. */
export function formatTime(epochMs: number): string {
  if (Number.isNaN(epochMs)) return "–";
  const date = new Date(epochMs);
  const two = (value: number): string => value.toString().padStart(2, "0");
  return (
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}` +
    `.${date.getMilliseconds().toString().padStart(3, "0")}`
  );
}

/** `1 row`, `1,204 rows`. */
export function formatCount(count: number, singular: string, plural = `${singular}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? singular : plural}`;
}

const subtypeAliases = new Map([
  ["plain", "text"],
  ["octet-stream", "binary"],
  ["www-form-urlencoded", "form"],
  ["svg+xml", "svg"],
  ["event-stream", "events"],
]);

/** The part of a media type that tells one response from another: `json`, `html`, `grpc`, `svg`. */
export function shortMediaType(mediaType: string): string {
  const subtype = mediaType.slice(mediaType.indexOf("/") + 1).toLowerCase();
  const plain = subtype.replace(/^(x-|vnd\.)/, "");
  return subtypeAliases.get(plain) ?? plain;
}

/** With a capital first letter: how a reason stands as a title. */
export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** With a capital first letter and a full stop: how a reason stands on its own. */
export function sentence(text: string): string {
  return capitalised(text) + (/[.!?]$/.test(text) ? "" : ".");
}

/**
 * Shows by its number what makes text read in another order than it has (UAX #9, 2.1 to 2.4): a path or a name may be
 * made to look like another.
 */
export function withoutOverrides(text: string): string {
  return text.replace(
    /[\u202a-\u202e\u2066-\u2069]/g,
    (mark) => `[U+${mark.charCodeAt(0).toString(16).toUpperCase()}]`,
  );
}
