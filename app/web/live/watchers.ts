/** Somebody who watches. What it may see was decided before. */
export interface Watcher {
  sessionId: string;
  userId: string;
  /** A request's id, or the whole queue. */
  topic: string | typeof WHOLE_QUEUE;
  /** A customer is told its position, and less of what the house does. */
  isCustomer: boolean;
  /** When it is ended in any case, on the clock of `performance.now()`. */
  endsAt: number;
  send(frame: Buffer): void;
  /** Ends the stream; the browser comes back unless its session is over. */
  end(): void;
}

export const WHOLE_QUEUE = Symbol("the whole queue");

const NOBODY: ReadonlySet<Watcher> = new Set();

/** Watchers by what they watch, whose session it is, and who they are: telling costs a look-up. */
export function createWatchers() {
  const everybody = new Set<Watcher>();
  const byTopic = new Map<Watcher["topic"], Set<Watcher>>();
  const bySession = new Map<string, Set<Watcher>>();
  /** Of people it matters alone how many streams they have. */
  const countByPerson = new Map<string, number>();

  const put = <K>(map: Map<K, Set<Watcher>>, key: K, watcher: Watcher) => {
    const set = map.get(key) ?? new Set();
    map.set(key, set.add(watcher));
  };
  const take = <K>(map: Map<K, Set<Watcher>>, key: K, watcher: Watcher) => {
    const set = map.get(key);
    set?.delete(watcher);
    if (set?.size === 0) map.delete(key);
  };
  const count = (person: string, change: number) => {
    const streams = (countByPerson.get(person) ?? 0) + change;
    if (streams === 0) countByPerson.delete(person);
    else countByPerson.set(person, streams);
  };
  return {
    add(watcher: Watcher) {
      everybody.add(watcher);
      put(byTopic, watcher.topic, watcher);
      put(bySession, watcher.sessionId, watcher);
      count(watcher.userId, 1);
    },
    remove(watcher: Watcher) {
      if (!everybody.delete(watcher)) return;
      take(byTopic, watcher.topic, watcher);
      take(bySession, watcher.sessionId, watcher);
      count(watcher.userId, -1);
    },
    size: () => everybody.size,
    all: (): ReadonlySet<Watcher> => everybody,
    of: (topic: Watcher["topic"]): ReadonlySet<Watcher> => byTopic.get(topic) ?? NOBODY,
    ofSession: (id: string): ReadonlySet<Watcher> => bySession.get(id) ?? NOBODY,
    countOfPerson: (id: string) => countByPerson.get(id) ?? 0,
    sessions: () => [...bySession.keys()],
    requestsOfCustomers: () => {
      const found: string[] = [];
      for (const [topic, set] of byTopic) {
        if (typeof topic === "string" && [...set].some(({ isCustomer }) => isCustomer)) {
          found.push(topic);
        }
      }
      return found;
    },
  };
}
