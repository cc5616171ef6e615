// Reads /etc/passwd (passwd(5)) into names by user id.

export function parseUsers(text: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split("\n")) {
    const [name, , id] = line.split(":");
    if (name === undefined || name === "" || id === undefined || !/^\d+$/.test(id)) continue;
    // The first entry of an id is the one that getpwuid(3) gives.
    if (!names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}
