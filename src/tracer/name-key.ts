// Server names as the kernel looks them up: backwards, so that `*.suffix` is a prefix of what it covers.

/** PS_SERVER_NAME_BYTES of bpf/events.h. */
const nameBytes = 256;

/** `struct ps_name_key` of bpf/judge.h. @param rule for which isNameRule holds */
export function nameKey(rule: string): Uint8Array {
  const isSuffix = rule.startsWith("*.");
  const name = isSuffix ? rule.slice(1) : rule;
  const key = new Uint8Array(4 + nameBytes);
  key.set([...Buffer.from(name, "latin1")].reverse(), 4);
  // A whole name ends with a zero.
  new DataView(key.buffer).setUint32(0, 8 * (name.length + (isSuffix ? 0 : 1)), true);
  return key;
}
