// Whether a file has changed, however: written, replaced by a rename, or by a link on the way to it that leads elsewhere,
// as an orchestrator mounts its configuration. The kernel tells that of no path, so it is looked at.
import { statSync } from "node:fs";

const lookMs = 200;

export class FileChanges {
  readonly #path: string;
  #told: string;

  /** Changes count from now on. */
  constructor(path: string) {
    this.#path = path;
    this.#told = stampOf(path);
  }

  /** Tells each change once it has come to rest: a file is written in several steps. Gives what ends it. */
  watch(changed: () => void): () => void {
    let seen = this.#told;
    const timer = setInterval(() => {
      const now = stampOf(this.#path);
      if (now === seen && now !== this.#told) {
        this.#told = now;
        changed();
      }
      seen = now;
    }, lookMs);
    return () => {
      clearInterval(timer);
    };
  }
}

/** Another for each content that the path has had; empty where there is none. */
function stampOf(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
  } catch {
    return "";
  }
}
