// Loads the addon, and the BPF programs with the most of what this kernel offers.
import { createRequire } from "node:module";
import { join } from "node:path";
import type { LoadOptions, lookAtInterface, Programs } from "../../native/index.d.ts";
import type { TracerFeatures } from "./messages.ts";

export interface Addon {
  Programs: new (options: LoadOptions) => Programs;
  takeLog: () => string;
  networkNamespace: () => bigint;
  lookAtInterface: typeof lookAtInterface;
}

/** Best first; found by trying, because distributions carry features back to older versions. */
const featureSets: TracerFeatures[] = [true, false].flatMap((uprobeMulti) =>
  [true, false].flatMap((sleepable) =>
    [true, false].map((copyIntoDynptr) => ({ uprobeMulti, sleepable, copyIntoDynptr })),
  ),
);

export function loadAddon(folder: string): Addon {
  return createRequire(import.meta.url)(join(folder, "native/plainsight.node")) as Addon;
}

/** @param name of a file in bpf/, without its endings */
export function objectFile(folder: string, name: string): string {
  return join(folder, `bpf/${name}.bpf.o`);
}

/**
 * The programs that every trace needs, from below `folder` (dist/), with the best set of features that has the wanted
 * ones. Throws, after the verifier's words went to stderr, when no such set loads.
 */
export function loadPrograms(
  addon: Addon,
  folder: string,
  ringBytes: number,
  wanted: Partial<TracerFeatures>,
): { programs: Programs; features: TracerFeatures } {
  const objects = ["tls", "go", "process", "socket"].map((name) => objectFile(folder, name));
  let failure: unknown;
  const fitting = featureSets.filter((set) =>
    Object.entries(wanted).every(([name, value]) => set[name as keyof TracerFeatures] === value),
  );
  for (const features of fitting) {
    const { uprobeMulti, copyIntoDynptr } = features;
    const unused = features.sleepable ? "_atomic" : "";
    const without = ["leave", "go_enter", "go_leave"].map((name) => name + unused);
    try {
      const programs = new addon.Programs({ objects, ringBytes, uprobeMulti, copyIntoDynptr, without });
      if (!uprobeMulti || offersUprobeMulti(programs)) return { programs, features };
      programs.close();
    } catch (error) {
      failure ??= error;
      if (errorCode(error) === "EPERM") break;
    }
  }
  process.stderr.write(addon.takeLog());
  throw failure instanceof Error
    ? failure
    : new Error("load the BPF programs: no set of kernel features fits");
}

/** The errno's name; empty where it has none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/**
 * A link on `/` fails with EBADF where the kernel knows multi links, and one for process -1 with EINVAL where its
 * process filter is right: before Linux 6.10 (46ba0e49b642) it matched one thread only.
 */
function offersUprobeMulti(programs: Programs): boolean {
  const attempt = (pid: number) => {
    try {
      const options = { program: "enter", path: "/", pid, isReturn: false, offsets: [0], cookies: [0n] };
      programs.detach(programs.attachUprobes(options));
      return "";
    } catch (error) {
      return errorCode(error);
    }
  };
  return attempt(0) === "EBADF" && attempt(-1) === "EINVAL";
}
