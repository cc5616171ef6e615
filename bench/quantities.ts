// Numbers as the table shows them: three digits are all that a noisy machine supports.

const digits = (value: number) => value.toLocaleString("en", { maximumSignificantDigits: 3 });

export function nanoseconds(value: number): string {
  if (Math.abs(value) >= 1e6) return `${digits(value / 1e6)} ms`;
  return Math.abs(value) >= 1e4 ? `${digits(value / 1e3)} µs` : `${digits(value)} ns`;
}

export const milliseconds = (value: number): string => `${digits(value)} ms`;
export const perSecond = (value: number): string => `${digits(value)}/s`;
export const mebibytes = (bytes: number): string => `${digits(bytes / 2 ** 20)} MiB`;
export const sizeName = (bytes: number): string => (bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KiB`);
