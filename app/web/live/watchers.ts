/** Somebody who watches. What it may see was decided before. */
export interface Watcher {
  sessionId: string;
  userId: string;
  /** A request's id, or the whole queue. */
  topic: string | typeof WHOLE_QUEUE;
  /** A customer is told its position, and less of what the house does. */
  isCustomer: boolean;
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
  const byPerson = new Map<string, Set<Watcher>>();

  const put = <K>(map: Map<K, Set<Watcher>>, key: K, watcher: Watcher) => {
    const set = map.get(key) ?? new Set();
    map.set(key, set.add(watcher));
  };
  const take = <K>(map: Map<K, Set<Watcher>>, key: K, watcher: Watcher) => {
    const set = map.get(key);
    set?.delete(watcher);
    if (set?.size === 0) map.delete(key);
  };
  return {
    add(watcher: Watcher) {
      everybody.add(watcher);
      put(byTopic, watcher.topic, watcher);
      put(bySession, watcher.sessionId, watcher);
      put(byPerson, watcher.userId, watcher);
    },
    remove(watcher: Watcher) {
      everybody.delete(watcher);
      take(byTopic, watcher.topic, watcher);
      take(bySession, watcher.sessionId, watcher);
      take(byPerson, watcher.userId, watcher);
    },
    size: () => everybody.size,
    all: (): ReadonlySet<Watcher> => everybody,
    of: (topic: Watcher["topic"]): ReadonlySet<Watcher> => byTopic.get(topic) ?? NOBODY,
    ofSession: (id: string): ReadonlySet<Watcher> => bySession.get(id) ?? NOBODY,
    ofPerson: (id: string): ReadonlySet<Watcher> => byPerson.get(id) ?? NOBODY,
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
