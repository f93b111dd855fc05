import {
  type EffectLink,
  type EffectLock,
  type EffectRewrite,
  type EffectUnseen,
  type FileEffects,
  strongestFirst,
} from "./effects-file.ts";
import type { DatabaseSurvey } from "./survey.ts";

/** What a file does to what stands in this database already; one lock for each relation. */
export function effectsOn(
  effects: FileEffects,
  survey: DatabaseSurvey,
): { locks: EffectLock[]; rewrites: EffectRewrite[]; unseen: EffectUnseen[] } {
  const existing = new Set(survey.existing);
  const exists = ({ relation }: { relation: string }) => existing.has(relation);
  const locks = [
    ...effects.locks,
    ...effects.byIndex.flatMap((lock) => tableOf(lock, survey)),
    ...effects.byLink.flatMap((link) =>
      link.cascades ? referring(link, survey) : otherEnds(link, survey),
    ),
  ];
  return {
    locks: strongestFirst(locks.filter(exists)),
    rewrites: effects.rewrites.filter(exists),
    unseen: effects.unseen,
  };
}

function tableOf({ relation, ...lock }: EffectLock, { indexes }: DatabaseSurvey): EffectLock[] {
  const table = indexes[relation];
  return table === undefined ? [] : [{ ...lock, relation: table }];
}

function otherEnds(
  { relation, mode, line, constraint, column }: EffectLink,
  { references }: DatabaseSurvey,
): EffectLock[] {
  const isMeant = (name: string | null, columns: readonly string[]) =>
    (constraint === undefined || constraint === name) &&
    (column === undefined || columns.includes(column));
  return references.flatMap(({ name, from, columns, to, targets }) => [
    ...(from === relation && isMeant(name, columns) ? [{ relation: to, mode, line }] : []),
    // A constraint's name is one of its own table.
    ...(to === relation && isMeant(null, targets) ? [{ relation: from, mode, line }] : []),
  ]);
}

/** The tables that refer to one, and those that refer to them. */
function referring(
  { relation, mode, line }: EffectLink,
  { references }: DatabaseSurvey,
): EffectLock[] {
  const reached = new Set([relation]);
  // A set may grow while it is gone through, and what is added is gone through as well.
  for (const table of reached) {
    for (const { from, to } of references) if (to === table) reached.add(from);
  }
  return [...reached].map((table) => ({ relation: table, mode, line }));
}
