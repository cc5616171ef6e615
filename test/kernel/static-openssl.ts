// What a program needs to have OpenSSL linked in: its archives, and those of what this distribution built it with.
import { execFileSync } from "node:child_process";

/** Parts of the C library, which stays shared. */
const shared = ["-ldl", "-lpthread", "-pthread"];

/** Arguments of the compiler. @param archives `-l:libssl.a -l:libcrypto.a`, with what else the linker is to know of them */
export function staticOpenssl(archives = ["-l:libssl.a", "-l:libcrypto.a"]): string[] {
  const said = execFileSync("pkg-config", ["--static", "--libs-only-l", "libcrypto"], { encoding: "utf8" });
  const others = said.split(/\s+/).filter((flag) => /^-l(?!crypto$)/.test(flag) && !shared.includes(flag));
  return [...archives, ...others.map((flag) => `-l:lib${flag.slice(2)}.a`), "-ldl", "-lpthread"];
}
