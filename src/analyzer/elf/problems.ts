// What is wrong with a file, gathered while the rest of it is still read. Each problem is kept once, and only so many.

/** One broken structure. The rest of the file was still read. */
export interface ElfProblem {
  /** Kebab-case and stable, such as `section-table-truncated`. */
  code: string;
  /** One sentence, without a full stop. */
  text: string;
}

/** A hostile file can break every one of its sections; a person reads the first few. */
const mostKept = 64;

/** An append-only list of problems; grows when a later question meets another broken structure. */
export class ProblemList {
  readonly list: ElfProblem[] = [];

  add(code: string, text: string): void {
    if (this.list.length > mostKept) return;
    if (this.list.some((known) => known.code === code && known.text === text)) return;
    if (this.list.length === mostKept) {
      this.list.push({ code: "more-problems", text: `only the first ${mostKept} problems are listed` });
    } else {
      this.list.push({ code, text });
    }
  }
}
