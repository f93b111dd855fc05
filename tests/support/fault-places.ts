/** The places of a run at which it is struck: every boundary of its steps, and inside each kind. */
import { newCustomer } from "./berth.ts";
import {
  atCall,
  atMessage,
  atScript,
  betweenSteps,
  connecting,
  type Instant,
  type Striking,
} from "./fault-instants.ts";
import type { FaultLab } from "./fault-lab.ts";
import { isOfRun, LOCKING, PREPARING, plannedRun, type Script } from "./run-scripts.ts";

export interface Place {
  name: string;
  /** Makes ready for one strike; the run has not begun yet. */
  prepare(striking: Striking): Promise<Instant>;
}

/** One strike that is planned: the nth of its kind at its place. */
export interface PlannedStrike {
  place: Place;
  nth: number;
}

const AUTH_CONFIG = "PATCH /v1/projects/:ref/config/auth";
const USERS = "POST /auth/v1/admin/users";
/** So many files of the commonest kind are struck inside in each round. */
const SQL_FILES_PER_ROUND = 2;

/** Every place that is struck in one round, in the order in which a run comes by. */
export type Round = (n: number) => PlannedStrike[];

/** Made from the templates as they are. */
export async function faultPlaces(lab: FaultLab): Promise<Round> {
  const { steps, scripts } = await plannedRun(newCustomer().features);
  const boundaries = [...steps.map(({ name }) => name), null].map((after, at) =>
    boundary(steps[at - 1]?.name ?? null, after),
  );
  const inside = insidePlaces(lab, scripts);

  return (n) => {
    const planned: PlannedStrike[] = [];
    const add = (place: Place, nth = n) => planned.push({ place, nth });
    const migrations = scripts.filter(({ kind }) => kind === "migration");
    const seeds = scripts.filter(({ kind }) => kind === "seed");
    const turns = Array.from(
      { length: SQL_FILES_PER_ROUND },
      (_, m) => n * SQL_FILES_PER_ROUND + m,
    );
    steps.forEach((step, at) => {
      add(boundaries[at] as Place);
      const own = scripts.filter((script) => script.step === step.name);
      if (step.kind === "preflight") inside.preflight.forEach((place) => void add(place));
      if (step.kind === "auth-config")
        add(inside.call("auth configuration", step.name, AUTH_CONFIG));
      if (step.kind === "owner") add(inside.call("owner account", step.name, USERS));
      for (const script of own) {
        if (script.kind === "note") add(inside.script("concurrent index: its note", script));
        if (script.kind === "alone") add(inside.script("concurrent index: its statement", script));
        if (script.kind === "proof") add(inside.script("concurrent index: its proof", script));
        if (step.kind === "health") add(inside.script("health checks", script));
        // Each file in turn, and with each of its turns at another instant.
        for (const turn of turns) {
          const [file, nth] = inTurn(migrations, turn);
          if (file === script) add(inside.script("transactional SQL", script), nth);
        }
        const [seed, nth] = inTurn(seeds, n);
        if (seed === script) add(inside.script("seed data", script), nth);
      }
    });
    add(boundaries.at(-1) as Place);
    return planned;
  };
}

/** The script whose turn it is, and a number that grows by one from turn to turn of the same. */
function inTurn(scripts: readonly Script[], turn: number): [Script | undefined, number] {
  const { length } = scripts;
  return [scripts[turn % length], (turn % length) + Math.floor(turn / length)];
}

function boundary(before: string | null, after: string | null): Place {
  return {
    name: after === null ? "the run's end" : `before ${after}`,
    prepare(striking) {
      // Before the first step there is no session yet: what can be struck is its beginning.
      const first = { name: "connecting", when: connecting };
      if (before === null && striking.blow === "cut") return atMessage(striking, first);
      const opened = { name: "connected", when: isOfRun, nth: 1 };
      if (before === null && striking.blow !== "kill -9") {
        return atMessage(striking, { ...opened, when: isQuery });
      }
      return betweenSteps(striking, before, after);
    },
  };
}

const isQuery: typeof isOfRun = (message, session) =>
  message.type === "Q" && isOfRun(message, session);

function insidePlaces(lab: FaultLab, scripts: readonly Script[]) {
  const script = (kind: string, one: Script): Place => ({
    name: `in ${kind}`,
    prepare: (striking) => atScript(striking, one),
  });
  const call = (kind: string, step: string, route: string): Place => ({
    name: `in ${kind}`,
    prepare: (striking) => atCall(striking, { step, route }),
  });
  const named = (name: string) => {
    const found = scripts.find((one) => one.name === name);
    if (!found) throw new Error(`A run has no script of the name ${name}.`);
    return found;
  };
  const [locking, preparing] = [named(LOCKING), named(PREPARING)];
  // Whatever the preflight reads between its two known ends.
  const reads = (sql: string) =>
    !locking.is(sql) && !preparing.is(sql) && !/^set statement_timeout = \d+$/.test(sql);
  const count = lab.cleanScripts.slice(0, lab.cleanScripts.findIndex(preparing.is)).filter(reads);
  const look: Place = {
    name: "in preflight: looking",
    prepare: (striking) =>
      atMessage(striking, {
        name: `look ${1 + (striking.nth % count.length)}`,
        when: (message, session) => isQuery(message, session) && reads(session.sql),
        nth: 1 + (striking.nth % count.length),
      }),
  };
  return {
    script,
    call,
    preflight: [
      script("preflight: taking the lock", locking),
      look,
      script("preflight: preparing", preparing),
    ],
  };
}
