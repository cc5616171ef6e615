// How everything here is measured: what is compared runs in turns, round after round, so that a busy moment of the
// machine meets all of it; the middle of the rounds is what counts.

/** The middle value; of an even count the mean of the middle two. Throws when there is none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) throw new Error("take a median: no round was measured");
  return (low + high) / 2;
}

/** Measures each way once a round, in turns, and gives each way's results in the order of the rounds. */
export async function inTurns<Way extends string, Result>(
  rounds: number,
  ways: Record<Way, () => Result | Promise<Result>>,
): Promise<Record<Way, Result[]>> {
  const entries = Object.entries(ways) as [Way, () => Result | Promise<Result>][];
  const results = Object.fromEntries(entries.map(([way]) => [way, [] as Result[]])) as Record<Way, Result[]>;
  for (let round = 0; round < rounds; round++) {
    // Every other round the other way round: what comes first may find the machine in another state.
    for (const [way, measure] of round % 2 === 0 ? entries : entries.toReversed())
      results[way].push(await measure());
  }
  return results;
}

/** One line of the result. The ratio is the median of the rounds' ratios, not the ratio of the medians. */
export interface Row {
  what: string;
  baseline: string;
  ours: string;
  /** Ours over the baseline. */
  ratio: number;
}

export interface Comparison {
  what: string;
  /** What the baseline is, in a word or two. */
  against: string;
  /** A value by round; rounds of the same index were measured together. */
  baseline: readonly number[];
  ours: readonly number[];
  show: (value: number) => string;
  /** What else must be said about our side. */
  remark?: string;
}

export function compare({ what, against, baseline, ours, show, remark }: Comparison): Row {
  const ratios = ours.map((value, round) => value / (baseline[round] ?? Number.NaN));
  return {
    what,
    baseline: `${show(median(baseline))} ${against}`,
    ours: show(median(ours)) + (remark === undefined ? "" : ` (${remark})`),
    ratio: median(ratios),
  };
}
