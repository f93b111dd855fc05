import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, newCustomer } from "../support/berth.ts";
import { defectsOf } from "../support/fault-evidence.ts";
import { type FaultedRun, type FaultLab, type Holder, openFaultLab } from "../support/fault-lab.ts";
import { RUN_END } from "../support/recording-gate.ts";
import { matches, plannedRun, type Script } from "../support/run-scripts.ts";

const PATIENCE_MS = 240_000;

let lab: FaultLab;
const outcomes = { right: 0, wrong: 0 };

beforeAll(async () => {
  lab = await openFaultLab({ workers: 9, links: true });
});
afterAll(async () => {
  process.stdout.write(
    `two runners, and broken networks: ${outcomes.right + outcomes.wrong} cases, ` +
      `${outcomes.right} right, ${outcomes.wrong} wrong\n`,
  );
  await lab?.stop();
});

/** A worker that believes that it still has the run, and how it comes back. */
interface Believer {
  first: Holder;
  /** Lets it go on. */
  wake(): void;
}

const stopped = (first: Holder): Believer => {
  process.kill(first.pid, "SIGSTOP");
  return { first, wake: () => process.kill(first.pid, "SIGCONT") };
};
const cutOff = (first: Holder): Believer => {
  const link = lab.link(first.pid);
  link.freeze();
  return { first, wake: () => link.thaw() };
};
const WAYS = { stopped, "cut off from Berth's database": cutOff };

const hold = (run: FaultedRun, script: Script) =>
  run.proxy.arm({ from: "client", when: matches(script), action: "hold" });

async function runIdOf(run: FaultedRun): Promise<string> {
  const { rows } = await lab.db.query<{ id: string }>(
    "select id from provisioning_runs where request_id = $1",
    [run.requestId],
  );
  return rows[0]?.id ?? "";
}

/** Waits until the worker says that it has let go of the run. */
async function letGo(run: FaultedRun): Promise<void> {
  const runId = await runIdOf(run);
  const folder = path.join(lab.berth.dataDir, "logs");
  await eventually(
    `the end of the first worker's belief in ${runId}`,
    async () => {
      for (const name of await readdir(folder)) {
        if (!name.startsWith("worker")) continue;
        const lines = (await readFile(path.join(folder, name), "utf8")).split("\n");
        if (lines.some((line) => line.includes(runId) && line.includes("was set aside"))) {
          return true;
        }
      }
      return false;
    },
    PATIENCE_MS,
  );
}

/** What a worker wrote about a run although another one had taken it over. */
async function wordsOf(first: Holder, run: FaultedRun): Promise<string[]> {
  const { rows } = await lab.db.query<{ words: string }>(
    `with taken as (
       select at from audit_log where request_id = $1 and action = 'run.take_over'
       order by id limit 1)
     select 'audit ' || action as words from audit_log, taken
     where request_id = $1 and actor_id like $2 and audit_log.at > taken.at
     union all
     select 'event ' || kind from request_events, taken
     where request_id::text = $1 and actor_id like $2 and request_events.at > taken.at`,
    [run.requestId, `%-${first.pid}-%`],
  );
  return rows.map(({ words }) => words);
}

/** `work` plays the case and says what is wrong; then everything that the run left is compared. */
async function judged(run: FaultedRun, work: () => Promise<string[]>): Promise<void> {
  let defects = ["the case did not come to its end"];
  try {
    const found = await work();
    defects = [...found, ...defectsOf(await run.evidence(), lab.clean)];
  } finally {
    outcomes[defects.length === 0 ? "right" : "wrong"] += 1;
    await run.close();
  }
  expect(defects).toEqual([]);
}

/** One of each kind: a migration, an index that is built concurrently, seed data. */
const { scripts: planned } = await plannedRun(newCustomer().features);
const scripts = [
  planned.find(({ kind }) => kind === "migration"),
  planned.find(({ kind }) => kind === "alone"),
  planned.find(({ kind }) => kind === "seed"),
].filter((script) => script !== undefined);

describe.concurrent("a worker that believes it still has the run", () => {
  for (const [way, take] of Object.entries(WAYS)) {
    for (const script of scripts) {
      it(`${way}, its script at work: ${script.name}`, async () => {
        const run = await lab.newRun();
        await judged(run, async () => {
          const held = hold(run, script);
          await run.begin();
          await held.reached;
          const { first, wake } = take(await run.holder());
          try {
            held.release();
            await run.takenOver(first);
            await run.settled();
          } finally {
            held.disarm();
            wake();
          }
          await letGo(run);
          return wordsOf(first, run);
        });
      });
    }

    it(`${way}, its script delivered when all is over`, async () => {
      const run = await lab.newRun();
      await judged(run, async () => {
        const held = hold(run, scripts[0] as Script);
        await run.begin();
        await held.reached;
        const { first, wake } = take(await run.holder());
        try {
          await run.takenOver(first);
          await run.settled();
        } finally {
          held.disarm();
          wake();
        }
        await letGo(run);
        return wordsOf(first, run);
      });
    });

    it(`${way}, back while the other is in the middle`, async () => {
      const run = await lab.newRun();
      await judged(run, async () => {
        const held = hold(run, scripts[0] as Script);
        await run.begin();
        await held.reached;
        const { first, wake } = take(await run.holder());
        const others = hold(run, scripts[1] as Script);
        try {
          await run.takenOver(first);
          await others.reached;
        } finally {
          held.disarm();
          wake();
        }
        await letGo(run);
        others.disarm();
        await run.settled();
        return wordsOf(first, run);
      });
    });

    for (const step of ["Preflight", "Owner account", "Health check", RUN_END]) {
      it(`${way}, in the transaction that records ${step}`, async () => {
        const run = await lab.newRun();
        await judged(run, async () => {
          const gate = await run.gate(step);
          await run.begin();
          await gate.reached();
          const { first, wake } = take(await run.holder());
          try {
            await gate.open();
            await run.takenOver(first);
            await run.settled();
          } finally {
            wake();
          }
          await letGo(run);
          return wordsOf(first, run);
        });
      });
    }
  }
});

describe.concurrent("a worker that still has the run", () => {
  it("keeps it while the customer's network is silent for longer than a lease", async () => {
    const run = await lab.newRun();
    await judged(run, async () => {
      const held = hold(run, scripts[0] as Script);
      await run.begin();
      await held.reached;
      const until = async () =>
        (
          await lab.db.query<{ at: Date }>(
            "select lease_expires_at as at from provisioning_runs where request_id = $1",
            [run.requestId],
          )
        ).rows[0]?.at.getTime() ?? 0;
      const first = await until();
      await eventually("renewed leases", async () => (await until()) - first > 9_000, PATIENCE_MS);
      held.disarm();
      await run.settled();
      const { takeovers } = (await run.evidence()).run;
      return takeovers === 0 ? [] : [`${takeovers} take-overs`];
    });
  });

  for (const step of ["Preflight", "Owner account", RUN_END]) {
    it(`does not call it failed when Berth's database breaks off at the recording of ${step}`, async () => {
      const run = await lab.newRun();
      await judged(run, async () => {
        const gate = await run.gate(step);
        await run.begin();
        await gate.reached();
        lab.link((await run.holder()).pid).cut();
        await gate.open();
        await run.settled();
        return [];
      });
    });
  }

  it("does not call it failed when Berth's database breaks off in the middle of a step", async () => {
    const run = await lab.newRun();
    await judged(run, async () => {
      const held = hold(run, scripts[0] as Script);
      await run.begin();
      await held.reached;
      lab.link((await run.holder()).pid).cut();
      held.disarm();
      await run.settled();
      return [];
    });
  });
});

it("leaves no secret in any log", async () => {
  const { logs, found } = await lab.secretsInLogs();
  expect(logs).toBeGreaterThan(9);
  expect(found).toEqual([]);
});
