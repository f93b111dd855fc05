import { unknownCalls } from "./effects-calls.ts";
import type { RangeVar } from "./effects-query.ts";
import { tablesIn } from "./effects-query.ts";
import { type LockMode, strengthOf } from "./lock-modes.ts";
import { names, type SyntaxTree } from "./syntax-tree.ts";

/** A lock that a file takes, with the line of the statement that takes it. */
export interface EffectLock {
  /** `schema.name` */
  relation: string;
  mode: LockMode;
  line: number;
}

/** A table that a statement writes anew as a whole. */
export interface EffectRewrite {
  relation: string;
  line: number;
  /** What makes PostgreSQL do so, in words. */
  why: string;
}

/**
 * A foreign key that is dropped, checked or made anew: the table at its other end is locked too, which
 * only the catalog can name.
 */
export interface EffectLink extends EffectLock {
  /** Of `relation`; with neither, every foreign key from it or to it. */
  constraint?: string;
  column?: string;
  /** Instead of these: every table that refers to it, and those that refer to them, and so on. */
  cascades?: boolean;
}

/** What a file does that its text does not tell: its locks may be any. */
export interface EffectUnseen {
  line: number;
  /** "a DO block", "the function app.f()". */
  what: string;
}

/** What the statements of one file do to relations, as far as their text tells. */
export interface FileEffects {
  /** Tables, views and sequences that it makes, `schema.name`. */
  creates: string[];
  /** The strongest lock on each relation that it names; the strongest first. */
  locks: EffectLock[];
  /** Locks on tables that it names only by one of their indexes; `relation` is the index. */
  byIndex: EffectLock[];
  /** Locks on tables that it names only by a foreign key. */
  byLink: EffectLink[];
  rewrites: EffectRewrite[];
  unseen: EffectUnseen[];
}

/** What a file locks against writers and does not make itself; as a `SqlStep` carries it. */
export function strongLocksOf({ creates, locks, byIndex, byLink }: FileEffects) {
  const isStrong = ({ mode }: { mode: LockMode }) => strengthOf(mode) >= strengthOf("SHARE");
  const made = new Set(creates);
  const named = locks.filter((lock) => isStrong(lock) && !made.has(lock.relation));
  const tables = named.map(({ relation }) => {
    const dot = relation.indexOf(".");
    return { schema: relation.slice(0, dot), name: relation.slice(dot + 1) };
  });
  return { tables, others: [...byIndex, ...byLink].filter(isStrong).length };
}

/** Gathers the effects of one file, statement by statement. */
export class EffectsGatherer {
  /** Line of the statement at hand. */
  line = 1;
  /** Where names without a schema are found, and made: the run's search_path begins so. */
  schema = "public";
  readonly #creates = new Set<string>();
  readonly #locks = new Map<string, EffectLock>();
  readonly #byIndex = new Map<string, EffectLock>();
  readonly #byLink: EffectLink[] = [];
  readonly #rewrites: EffectRewrite[] = [];
  readonly #unseen: EffectUnseen[] = [];
  /** Indexes that the file made, and their tables. */
  readonly #indexes = new Map<string, RangeVar>();

  nameOf({ schemaname, relname }: RangeVar): string {
    return `${schemaname ?? this.schema}.${relname}`;
  }

  /** A qualified name given as a list of strings. */
  rangeOf(parts: string[]): RangeVar {
    const schemaname = parts.at(-2);
    return { relname: parts.at(-1) ?? "", ...(schemaname === undefined ? {} : { schemaname }) };
  }

  creates(range: RangeVar): void {
    this.#creates.add(this.nameOf(range));
  }

  lock(range: RangeVar | undefined, mode: LockMode): void {
    if (!range) return;
    keepStrongest(this.#locks, { relation: this.nameOf(range), mode, line: this.line });
  }

  createsIndex(index: string, table: RangeVar): void {
    // An index stands in its table's schema.
    this.#indexes.set(this.nameOf({ ...table, relname: index }), table);
  }

  /** A lock on the table of an index. */
  lockTableOf(index: RangeVar, mode: LockMode): void {
    const relation = this.nameOf(index);
    const table = this.#indexes.get(relation);
    if (table) this.lock(table, mode);
    else keepStrongest(this.#byIndex, { relation, mode, line: this.line });
  }

  /** A lock on whatever table is at the other end of these foreign keys. */
  lockLinked(
    range: RangeVar,
    mode: LockMode,
    which: Pick<EffectLink, "constraint" | "column" | "cascades"> = {},
  ): void {
    this.#byLink.push({ relation: this.nameOf(range), mode, line: this.line, ...which });
  }

  rewrite(range: RangeVar, why: string): void {
    this.#rewrites.push({ relation: this.nameOf(range), line: this.line, why });
  }

  /** What the queries within a tree read and change. */
  queries(tree: SyntaxTree): void {
    for (const { table, mode } of tablesIn(tree)) this.lock(table, mode);
  }

  /** Something that the statement at hand does and that its text does not tell. */
  unseen(what: string): void {
    const isKnown = this.#unseen.some((one) => one.line === this.line && one.what === what);
    if (!isKnown) this.#unseen.push({ line: this.line, what });
  }

  /** The functions that a tree calls as it is run. */
  calls(tree: SyntaxTree): void {
    for (const name of unknownCalls(tree)) this.unseen(`the function ${name}()`);
  }

  /** A new or lost partition: a default partition, if there is one, is locked and may be read. */
  defaultPartition(parent: RangeVar): void {
    const name = this.nameOf(parent);
    if (!this.#creates.has(name)) this.unseen(`a default partition of ${name}`);
  }

  /** `SET LOCAL search_path`: what follows means other tables. */
  setPath(values: (string | undefined)[]): void {
    this.schema = values.find((value) => value && value !== "$user") ?? "public";
  }

  done(): FileEffects {
    return {
      creates: [...this.#creates],
      locks: strongestFirst(this.#locks.values()),
      byIndex: strongestFirst(this.#byIndex.values()),
      byLink: this.#byLink,
      rewrites: this.#rewrites,
      unseen: this.#unseen,
    };
  }
}

function keepStrongest(locks: Map<string, EffectLock>, lock: EffectLock): void {
  const before = locks.get(lock.relation);
  if (!before || strengthOf(lock.mode) > strengthOf(before.mode)) locks.set(lock.relation, lock);
}

/** One lock for each relation, the strongest that it has; the strongest relations first. */
export function strongestFirst(locks: Iterable<EffectLock>): EffectLock[] {
  const kept = new Map<string, EffectLock>();
  for (const lock of locks) keepStrongest(kept, lock);
  return [...kept.values()].sort(
    (a, b) => strengthOf(b.mode) - strengthOf(a.mode) || a.line - b.line,
  );
}

/** The strings of a qualified name wrapped in a `List`. */
export const partsOf = (object: unknown): string[] =>
  names((object as { List?: { items?: unknown } } | undefined)?.List?.items);
