// Work that may take over a second says so. What is worked at is the caller's business.

const longMs = 1000;

/** Says what is being done on standard error, once it takes long. */
export async function tellLongWait<T>(what: string, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => process.stderr.write(`${what}\n`), longMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
