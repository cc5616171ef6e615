// Remembers what a pure function gave for a short name and value: they come again and again on a connection.

const mostEntries = 4096;
const mostCharacters = 256;

/**
 * `compute`, asked once for each pair of texts as long as the table has room; full, it begins anew. Long ones are not
 * kept.
 */
export function remembered<Value>(
  compute: (name: string, value: string) => Value,
): (name: string, value: string) => Value {
  const known = new Map<string, Value>();
  return (name, value) => {
    if (name.length + value.length > mostCharacters) return compute(name, value);
    const key = `${name.length} ${name}${value}`;
    let result = known.get(key);
    if (result === undefined) {
      result = compute(name, value);
      if (known.size >= mostEntries) known.clear();
      known.set(key, result);
    }
    return result;
  };
}
