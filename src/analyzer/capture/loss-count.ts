// Counts what was lost on the way, from the tracer's running totals and from what could not be understood.
import type { LostEvent } from "../../protocol/traffic.ts";
import type { KernelLoss } from "../../tracer/messages.ts";

export class LossCount {
  /** Records lost so far. */
  records = 0;
  readonly #totals = new Map<KernelLoss["reason"], KernelLoss>();

  /** What has been lost since the totals before these. */
  grown(totals: readonly KernelLoss[]): LostEvent[] {
    return totals.flatMap((total) => {
      const before = this.#totals.get(total.reason) ?? { records: 0, bytes: 0 };
      this.#totals.set(total.reason, total);
      const records = total.records - before.records;
      return records > 0
        ? [this.add({ records, bytes: total.bytes - before.bytes, reason: total.reason })]
        : [];
    });
  }

  add(lost: Omit<LostEvent, "type">): LostEvent {
    this.records += lost.records;
    return { type: "lost", ...lost };
  }
}
