import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { PgBoss } from "pg-boss";
import { deliverNext } from "#app/domain/notifications/index.server.ts";
import { doDueWork } from "#app/domain/provisioning/index.server.ts";
import { openServices } from "#app/domain/services.server.ts";
import { createMailer } from "#app/integrations/smtp/mailer.ts";
import { parseEnv } from "#app/platform/env.ts";
import { deliverMail, type JobContract, provisionRun } from "#app/platform/jobs/contracts.ts";
import { createLogger, type Logger } from "#app/platform/log.ts";
import { installShutdown } from "#app/platform/shutdown.ts";
import type { Actor } from "#db/index.ts";
import { keepHouse } from "./housekeeping.ts";
import { repeat } from "./loop.ts";
import { createRunner } from "./runner.ts";

/** How often each kind of work is looked for when nothing announces it, in milliseconds. */
const RUN_SCAN_MS = 1_000;
const MAIL_SCAN_MS = 5_000;
const HOUSEKEEPING_MS = 10_000;
const DUE_SCAN_MS = 5_000;

async function main(log: Logger): Promise<void> {
  const env = parseEnv(process.env);
  log.level = env.logLevel;
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

  const loops: Promise<void>[] = [];
  const shutdown = installShutdown({
    timeoutMs: env.shutdownTimeoutMs,
    log,
    phases: [
      { name: "take no more jobs", run: () => jobs.stop({ graceful: true, timeout: 5_000 }) },
      { name: "set runs aside", run: () => Promise.all([...loops, runner.idle()]) },
      { name: "close connections", run: () => Promise.all([services.close(), mailer.close()]) },
    ],
  });
  const { staffMail, runConcurrency } = env;
  const runner = createRunner(
    { ...services, actor, staffMail, runConcurrency, log },
    env.workerConcurrency,
    shutdown.signal,
  );
  const delivery = { ...services, actor, mailer, publicUrl: env.publicUrl, log };
  const context = { signal: shutdown.signal, log };
  loops.push(
    repeat("runs", RUN_SCAN_MS, () => runner.takeOne(), context),
    repeat("mail", MAIL_SCAN_MS, () => deliverNext(delivery), context),
    repeat(
      "due work",
      DUE_SCAN_MS,
      () => doDueWork({ ...services, actor, log }, shutdown.signal),
      context,
    ),
    repeat("housekeeping", HOUSEKEEPING_MS, () => keepHouse({ db: services.db, actor }), context),
  );
  await jobs.start();
  await handle(jobs, provisionRun, ({ runId }) => runner.takeOne(runId));
  await handle(jobs, deliverMail, ({ outboxId }) => deliverNext(delivery, outboxId));
  log.info({ worker: actor.id }, "the worker is ready");
}

/** Registers the handler of a job; its payload is checked again, since a table lies between. */
async function handle<Payload>(
  jobs: PgBoss,
  contract: JobContract<Payload>,
  work: (payload: Payload) => Promise<unknown>,
): Promise<void> {
  const options = {
    batchSize: 20,
    burstWhenBatchFull: true,
    pollingIntervalSeconds: 1,
    notifyPollingIntervalSeconds: 1,
  };
  await jobs.work(contract.name, options, async (batch) => {
    for (const job of batch) await work(contract.payload.parse(job.data));
  });
}

const log = createLogger({ level: "info" }).child({ process: "worker" });
try {
  await main(log);
} catch (error) {
  log.fatal({ err: error }, error instanceof Error ? error.message : "could not start");
  process.exit(1);
}
