import { claimRequest, createRequest } from "#app/domain/queue/index.server.ts";
import { type Actor, asActor, type Db } from "#db/index.ts";

const STAFF: Actor = { kind: "staff", id: "staff-1", origin: "192.0.2.7", correlationId: "bench" };
const API: Actor = { ...STAFF, kind: "api" };

/** Something that moves the queue: a claim at its head, or an arrival at its end. */
export interface Change {
  kind: "claim" | "arrival";
  /** Before its transaction began: a little earlier than its commit. By `performance.now()`. */
  at: number;
}

/** What a watcher was told, and when. */
export interface Frame {
  at: number;
  text: Buffer;
}

/** Takes the first of `heads` out of the queue, or puts a request of this customer at its end. */
export async function makeChange(
  db: Db,
  kind: Change["kind"],
  { heads, customerId }: { heads: string[]; customerId: string },
): Promise<Change> {
  const at = performance.now();
  if (kind === "claim") {
    const id = heads.shift();
    if (id === undefined) throw new Error("Nothing was left to claim.");
    await asActor(db, STAFF, (tx) => claimRequest({ tx, actor: STAFF }, id));
  } else {
    await asActor(db, API, (tx) =>
      createRequest(
        { tx, actor: API },
        {
          customerId,
          // The longest promise of all: nobody who waits comes after it.
          planId: "starter",
          priority: "low",
          billingCycle: "monthly",
          region: "eu-central-1",
          features: ["base"],
        },
        {},
      ),
    );
  }
  return { kind, at };
}

/**
 * How old each change was, in milliseconds, when a watcher was first told a place that counts it in.
 * Claims are made ahead of every watcher, so that each lowers its position by one; arrivals come
 * after all of them, so that each raises the number of those who wait by one.
 */
export function agesOf(changes: readonly Change[], frames: readonly Frame[]): number[] {
  const ages: number[] = [];
  const told = frames.map(({ at, text }) => {
    const place = /"position":(\d+),"waiting":(\d+)/.exec(text.toString());
    if (!place) throw new Error(`This is no place: ${text}`);
    return { at, position: Number(place[1]), waiting: Number(place[2]) };
  });
  const [first] = told;
  if (!first) throw new Error("A watcher was told nothing.");
  const counted = { claim: 0, arrival: 0 };
  const made = { claim: [] as number[], arrival: [] as number[] };
  for (const { kind, at } of changes) made[kind].push(at);
  for (const { at, position, waiting } of told) {
    const seen = {
      claim: first.position - position,
      arrival: waiting - first.waiting + first.position - position,
    };
    for (const kind of ["claim", "arrival"] as const) {
      for (; counted[kind] < seen[kind]; counted[kind] += 1) {
        ages.push(at - (made[kind][counted[kind]] ?? Number.NaN));
      }
    }
  }
  if (ages.length !== changes.length) throw new Error("A watcher was not told of every change.");
  return ages;
}
