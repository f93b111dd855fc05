/** How long each step took, for the end of the output. Milliseconds. */
export class Timings {
  readonly #all = new Map<string, { total: number; times: number }>();

  /** Does work, and adds its time to that of its step. */
  async of<T>(step: string, work: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    try {
      return await work();
    } finally {
      const known = this.#all.get(step) ?? { total: 0, times: 0 };
      this.#all.set(step, {
        total: known.total + performance.now() - begun,
        times: known.times + 1,
      });
    }
  }

  /** The slowest first, by the mean of their times. */
  slowest(): { step: string; mean: number; times: number }[] {
    return [...this.#all]
      .map(([step, { total, times }]) => ({ step, mean: total / times, times }))
      .sort((a, b) => b.mean - a.mean);
  }
}
