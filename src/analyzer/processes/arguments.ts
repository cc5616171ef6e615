// Reads /proc/PID/cmdline into arguments, and masks what is secret in them: reports are sent to others.
import { maskedValue as mask } from "../../protocol/traffic.ts";

const secretName =
  "(?:[a-z0-9]+[-_])*(?:password|passwd|passphrase|secret|token|api[-_]?key|access[-_]?key|credentials?)";
const secretOption = new RegExp(`^--?${secretName}$`, "i");
const secretAssignment = new RegExp(`^((?:--?|-D)?(?:[\\w.-]+[.])?${secretName}=).+$`, "is");
const urlPassword = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:)[^\s/@]+(?=@)/gi;
const headerSecret = /^((?:proxy-)?authorization|cookie|x-api-key)(:\s*).+$/is;

/** Arguments are separated by NUL; a process that rewrote its title may have spaces and padding instead. */
export function parseArguments(text: string): string[] {
  const whole = text.replace(/\0+$/, "");
  return whole === "" ? [] : maskSecrets(whole.split("\0"));
}

/** Masks the values of options such as `--password x`, `--api-token=x`, `https://user:x@host` and header arguments. */
export function maskSecrets(values: readonly string[]): string[] {
  return values.map((value, index) => {
    const previous = values[index - 1];
    if (previous !== undefined && secretOption.test(previous) && !value.startsWith("-")) return mask;
    return value
      .replace(secretAssignment, `$1${mask}`)
      .replace(headerSecret, `$1$2${mask}`)
      .replace(urlPassword, `$1${mask}`);
  });
}
