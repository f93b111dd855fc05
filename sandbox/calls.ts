/** Counts what reached a project: calls by route, and the writing ones that succeeded. */
export interface CallCounter {
  count(ref: string, route: string, status: number): void;
  of(ref: string): { calls: Record<string, number>; effects: Record<string, number> };
  reset(ref: string): void;
}

/** An empty counter; counts live as long as the process. */
export function createCallCounter(): CallCounter {
  const counters = new Map<string, ReturnType<CallCounter["of"]>>();
  const entry = (ref: string) => {
    const known = counters.get(ref) ?? { calls: {}, effects: {} };
    counters.set(ref, known);
    return known;
  };
  return {
    count(ref, route, status) {
      const { calls, effects } = entry(ref);
      calls[route] = (calls[route] ?? 0) + 1;
      const wrote = !/^(GET|HEAD|OPTIONS) /.test(route) && status < 300;
      if (wrote) effects[route] = (effects[route] ?? 0) + 1;
    },
    of: entry,
    reset: (ref) => void counters.delete(ref),
  };
}
