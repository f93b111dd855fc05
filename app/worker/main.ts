import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { PgBoss } from "pg-boss";
import { type Actor, asActor } from "#db/index.ts";
import { purgeRetiredSecrets } from "#app/domain/backends/index.server.ts";
import { deliverNext } from "#app/domain/notifications/index.server.ts";
import { expireClaims } from "#app/domain/queue/index.server.ts";
import { openServices } from "#app/domain/services.server.ts";
import { createMailer } from "#app/integrations/smtp/mailer.ts";
import { parseEnv } from "#app/platform/env.ts";
import { deliverMail, type JobContract, provisionRun } from "#app/platform/jobs/contracts.ts";
import { createLogger } from "#app/platform/log.ts";
import { installShutdown } from "#app/platform/shutdown.ts";
import { repeat } from "./loop.ts";
import { createRunner } from "./runner.ts";

/** How often each kind of work is looked for when nothing announces it, in milliseconds. */
const RUN_SCAN_MS = 1_000;
const MAIL_SCAN_MS = 5_000;
const HOUSEKEEPING_MS = 10_000;

const env = parseEnv(process.env);
const log = createLogger({ level: env.logLevel }).child({ process: "worker" });
const actor: Actor = {
  kind: "worker",
  id: `${hostname().slice(0, 40)}-${process.pid}-${randomBytes(3).toString("hex")}`,
  origin: "",
  correlationId: "",
};

const services = await openServices(env, log, {
  applicationName: "berth-worker",
  connections: env.workerConcurrency * 2 + 4,
});
const mailer = createMailer(env.smtpUrl, env.mailFrom);
const jobs = new PgBoss({
  connectionString: env.jobsDatabaseUrl,
  application_name: "berth-jobs",
  createSchema: false,
  migrate: false,
  useListenNotify: true,
  max: 4,
});
jobs.on("error", (error) => log.warn({ err: error }, "the job engine met an error"));

const shutdown = installShutdown({
  timeoutMs: env.shutdownTimeoutMs,
  log,
  phases: [
    { name: "take no more jobs", run: () => jobs.stop({ graceful: true, timeout: 5_000 }) },
    { name: "set runs aside", run: () => Promise.all([...loops, runner.idle()]) },
    { name: "close connections", run: () => Promise.all([services.close(), mailer.close()]) },
  ],
});

const runner = createRunner(
  { ...services, actor, staffMail: env.staffMail, log },
  env.workerConcurrency,
  shutdown.signal,
);
const delivery = { ...services, actor, mailer, publicUrl: env.publicUrl };
const loopContext = { signal: shutdown.signal, log };

const loops = [
  repeat("runs", RUN_SCAN_MS, () => runner.takeOne(), loopContext),
  repeat("mail", MAIL_SCAN_MS, () => deliverNext(delivery), loopContext),
  repeat("housekeeping", HOUSEKEEPING_MS, keepHouse, loopContext),
];

async function keepHouse(): Promise<boolean> {
  const worked = await asActor(services.db, actor, async (tx) => [
    await expireClaims({ tx, actor }),
    await purgeRetiredSecrets({ tx, actor }),
  ]);
  return worked.some((count) => count > 0);
}

/** Registers the handler of a job; its payload is checked again, since a table lies between. */
async function handle<Payload>(
  contract: JobContract<Payload>,
  work: (payload: Payload) => Promise<unknown>,
): Promise<void> {
  const options = { batchSize: 20, burstWhenBatchFull: true, notifyPollingIntervalSeconds: 1 };
  await jobs.work(contract.name, options, async (batch) => {
    for (const job of batch) await work(contract.payload.parse(job.data));
  });
}

await jobs.start();
await handle(provisionRun, ({ runId }) => runner.takeOne(runId));
await handle(deliverMail, ({ outboxId }) => deliverNext(delivery, outboxId));
log.info({ worker: actor.id }, "the worker is ready");
