// The processes of this host as /proc shows them to whoever asks. It gathers facts and the reasons for missing ones;
// the parsers beside it read the texts, and what the facts mean is for stacks/ and coverage/.
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import type { Reason } from "../../protocol/coverage.ts";
import type { TcpSocket } from "../coverage/socket-activity.ts";
import { isExecutable } from "../process-facts.ts";
import type { ProcessFacts } from "../process-facts.ts";
import type { MappedFile } from "../stacks/finding.ts";
import { parseArguments } from "./arguments.ts";
import { parseCgroup } from "./cgroup.ts";
import { openIfThere, type FileReader } from "./file-reader.ts";
import { linkerOf } from "./linker.ts";
import { listeningInodes, socketInode } from "./listening.ts";
import { openMappedFile } from "./mapped-file.ts";
import type { OpenedFile } from "./mapped-file.ts";
import { executableFiles, parseMaps, withinRoot } from "./maps.ts";
import { parseBootTime, parseStat, parseStatus, startedAt } from "./stat.ts";
import { establishedRows } from "./tcp-sockets.ts";
import { parseUsers } from "./users.ts";

/** What anyone may know about a process. */
export type ProcessIdentity = Omit<ProcessFacts, "files">;

export type Found<T> = { found: T; missing: null } | { found: null; missing: Reason };

/** Names that threads of a runtime take on: they say less than the executable's name. */
const namelessCommands = new Set(["MainThread"]);

/** Bytes of a command name that the kernel keeps. */
const commandBytes = 15;

export class ProcessTable {
  readonly #procfs: string;
  readonly #users: Map<number, string>;
  readonly #bootSeconds: number | null;

  constructor(procfs = "/proc", passwd = "/etc/passwd") {
    this.#procfs = procfs;
    this.#users = parseUsers(attempt(() => readFileSync(passwd, "utf8")).value ?? "");
    this.#bootSeconds = parseBootTime(attempt(() => readFileSync(`${procfs}/stat`, "utf8")).value ?? "");
  }

  /** Throws when /proc itself cannot be read, for then nothing is known. */
  pids(): number[] {
    return readdirSync(this.#procfs)
      .filter((name) => /^[1-9]\d*$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  }

  /** The part that needs no rights. A kernel thread, a zombie or a thread's id is missing, with its reason. */
  identify(pid: number): Found<ProcessIdentity> {
    const stat = parseStat(this.#text(pid, "stat") ?? "");
    const status = parseStatus(this.#text(pid, "status") ?? "");
    if (stat === null) return missing("no-such-process", `there is no process ${pid}`);
    if (status.processId !== null && status.processId !== pid) {
      return missing("no-such-process", `${pid} is a thread of process ${status.processId}`);
    }
    if (stat.kernelThread) return missing("kernel-thread", "a kernel thread has no TLS of its own");
    if (/[ZXx]/.test(stat.state)) {
      return missing("zombie", "the process has ended, and its parent has not yet asked for its result");
    }
    const executable = this.#executable(pid);
    return {
      found: {
        pid,
        parentPid: stat.parentPid > 0 ? stat.parentPid : null,
        startedAt: startedAt(this.#bootSeconds, stat.startTicks),
        command: commandName(stat.command, executable),
        arguments: parseArguments(this.#text(pid, "cmdline") ?? ""),
        executable,
        workingDirectory: this.#link(pid, "cwd"),
        user: status.userId === null ? null : (this.#users.get(status.userId) ?? String(status.userId)),
        ...parseCgroup(this.#text(pid, "cgroup") ?? ""),
      },
      missing: null,
    };
  }

  /** The files that the process has mapped executable, which only its user and root may know. */
  files(identity: ProcessIdentity): Found<MappedFile[]> {
    const { pid } = identity;
    const maps = attempt(() => readFileSync(`${this.#procfs}/${pid}/maps`, "utf8"));
    if (maps.value === null) return isForbidden(maps.code) ? notReadable() : exited();
    if (maps.value === "") return exited();
    const root = this.#link(pid, "root") ?? "/";
    const files = executableFiles(parseMaps(maps.value)).map((file) => ({
      ...file,
      path: withinRoot(file.path, root),
    }));
    const own = files.filter((file) => isExecutable(identity, file));
    return { found: [...own, ...files.filter((file) => !own.includes(file))], missing: null };
  }

  /** `NAME=value`, as it was when its program began; empty when it may not be known. */
  environment(pid: number): string[] {
    return (this.#text(pid, "environ") ?? "").split("\0").filter((line) => line !== "");
  }

  /** The dynamic linker of the process; null for a static program, or when it may not be known. */
  linker({ pid, executable }: ProcessIdentity): MappedFile | null {
    const auxv = attempt(() => readFileSync(`${this.#procfs}/${pid}/auxv`)).value;
    const maps = this.#text(pid, "maps");
    if (auxv === null || maps === null) return null;
    const root = this.#link(pid, "root") ?? "/";
    const mappings = parseMaps(maps).map(({ file, ...rest }) => ({
      ...rest,
      file: { ...file, path: withinRoot(file.path, root) },
    }));
    return linkerOf(auxv, mappings, executable);
  }

  /** Opens a file of the process; the caller closes the reader. */
  open(facts: ProcessFacts, file: MappedFile): OpenedFile {
    return openMappedFile(this.#procfs, facts.pid, file, isExecutable(facts, file));
  }

  /** Opens a file by its path in the process's own view; null when it cannot be. The caller closes the reader. */
  openByPath({ pid }: ProcessIdentity, path: string): FileReader | null {
    return openIfThere(`${this.#procfs}/${pid}/root${path}`);
  }

  /** Whether the process listens on one of the TCP ports; null when its sockets may not be seen. */
  listensOn(pid: number, ports: ReadonlySet<number>): boolean | null {
    const tables = ["tcp", "tcp6"].map((table) => this.#text(pid, `net/${table}`) ?? "");
    const inodes = new Set(tables.flatMap((text) => [...listeningInodes(text, ports)]));
    if (inodes.size === 0) return false;
    const descriptors = attempt(() => readdirSync(`${this.#procfs}/${pid}/fd`));
    if (descriptors.value === null) return isForbidden(descriptors.code) ? null : false;
    return descriptors.value.some((name) => {
      const inode = socketInode(this.#link(pid, `fd/${name}`) ?? "");
      return inode !== null && inodes.has(inode);
    });
  }

  /** Established TCP connections of the process; null when its sockets may not be seen, or it has gone. */
  tcpSockets(pid: number): TcpSocket[] | null {
    const tables = ["tcp", "tcp6"].map((table) => this.#text(pid, `net/${table}`) ?? "");
    const rows = new Map(establishedRows(tables).map((row) => [row.inode, row]));
    const descriptors = attempt(() => readdirSync(`${this.#procfs}/${pid}/fd`));
    if (descriptors.value === null) return null;
    if (rows.size === 0) return [];
    const inodes = descriptors.value.map((name) => socketInode(this.#link(pid, `fd/${name}`) ?? ""));
    const namespace = this.networkNamespace(pid);
    // Two descriptors may be one socket.
    return [...new Set(inodes)].flatMap((inode) => {
      const row = inode === null ? undefined : rows.get(inode);
      return row === undefined ? [] : [{ pid, namespace, ...row }];
    });
  }

  /** The inode number of its network namespace; null when that may not be seen, or it has gone. */
  networkNamespace(pid: number): number | null {
    const inode = /^net:\[(\d+)\]$/.exec(this.#link(pid, "ns/net") ?? "")?.[1];
    return inode === undefined ? null : Number(inode);
  }

  #executable(pid: number): string | null {
    const link = this.#link(pid, "exe");
    if (link === null) return null;
    return withinRoot(link.replace(/ \(deleted\)$/, ""), this.#link(pid, "root") ?? "/");
  }

  #text(pid: number, name: string): string | null {
    return attempt(() => readFileSync(`${this.#procfs}/${pid}/${name}`, "utf8")).value;
  }

  #link(pid: number, name: string): string | null {
    return attempt(() => readlinkSync(`${this.#procfs}/${pid}/${name}`)).value;
  }
}

function commandName(command: string, executable: string | null): string {
  const program = executable === null ? "" : basename(executable);
  const cut = Buffer.byteLength(command) === commandBytes && program.startsWith(command);
  return program !== "" && (cut || namelessCommands.has(command)) ? program : command;
}

type Attempt<T> = { value: T; code: null } | { value: null; code: string };

/** Everything in /proc may vanish or be forbidden between two system calls: that is an answer, not a failure. */
function attempt<T>(read: () => T): Attempt<T> {
  try {
    return { value: read(), code: null };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    return { value: null, code };
  }
}

const isForbidden = (code: string): boolean => code === "EACCES" || code === "EPERM";

function missing(code: string, text: string): { found: null; missing: Reason } {
  return { found: null, missing: { code, text } };
}

const exited = (): Found<never> => missing("exited", "the process ended while it was read");

function notReadable(): Found<never> {
  const text =
    process.geteuid?.() === 0
      ? "what it has mapped is refused even to root (needs CAP_SYS_PTRACE, or a security module forbids it)"
      : "what it has mapped may be read by its own user and root only; use sudo";
  return missing("not-readable", text);
}
