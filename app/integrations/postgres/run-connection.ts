import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { BerthError } from "#app/platform/errors.ts";
import { applicationName } from "./guard.ts";
import { missingVersions } from "./ledger.ts";
import {
  endSession,
  type HeldConnection,
  jittered,
  leaveSession,
  pause,
  type RunContext,
} from "./run-context.ts";
import {
  CancelledError,
  ConnectionLostError,
  DatabaseRefusedError,
  RunStoppedError,
  StepsLostError,
  UnknownOutcomeError,
} from "./run-errors.ts";
import { literal, redactServerText, ScriptFailure, sendScript } from "./script.ts";
import { acquire } from "./take-lock.ts";

/** How long work may go on after it was first cancelled: rolling back takes no time. */
const CANCEL_MS = 3_000;

/**
 * The run's one connection, made anew when it is lost. Whatever is done with it must be safe to
 * do again: steps are, since their guard reads the ledger under the lock.
 */
export class RunConnection {
  readonly context: RunContext;
  #held: HeldConnection | null = null;
  #closed = false;
  #cancelled = false;
  #busy = false;
  /** Keys of the ledger that stand there: on another connection they are looked for. */
  readonly #recorded = new Set<string>();

  constructor(context: RunContext) {
    this.context = context;
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** Remembers that the ledger has this key. */
  noteRecorded(key: string): void {
    this.#recorded.add(key);
  }

  /** @throws CancelledError, RunStoppedError */
  checkGoing(): void {
    if (this.#cancelled) throw new CancelledError();
    if (this.context.signal.aborted) throw new RunStoppedError(this.context.signal.reason);
    if (this.#closed) throw new RunStoppedError(new Error("The session is closed."));
  }

  /**
   * Runs `work` on a connection that holds the lock, again on a new one after each loss.
   *
   * @throws UnknownOutcomeError when the connection was lost at work and could not be had again;
   * when none was ever had, the typed error of `connect`, else ConnectionLostError; StepsLostError
   * when the new one leads to a server without steps that were applied; what `work` throws.
   */
  async use<T>(
    what: string,
    work: (held: HeldConnection) => Promise<T>,
    options: { onLoss?: () => void; patienceMs?: number } = {},
  ): Promise<T> {
    const { limits, log, signal, identity, attempts } = this.context;
    const patienceMs = options.patienceMs ?? limits.reconnectPatienceMs;
    let losses = 0;
    let away: { since: number; tries: number } | null = null;
    this.#busy = true;
    try {
      for (;;) {
        this.checkGoing();
        try {
          this.#held ??= await this.#acquire();
          away = null;
          return await work(this.#held);
        } catch (error) {
          if (!(error instanceof ConnectionLostError)) throw this.#explain(what, error);
          away ??= { since: Date.now(), tries: 0 };
          const wasLost = this.#held !== null;
          if (wasLost) {
            losses += 1;
            options.onLoss?.();
          }
          await this.#drop();
          if (losses > limits.reconnects || Date.now() - away.since >= patienceMs) {
            if (losses > 0) throw new UnknownOutcomeError(what, losses, error);
            // Nothing was ever sent: the reason why there is no connection is all there is to say.
            throw error.cause instanceof BerthError ? error.cause : error;
          }
          // What ends the work is its failure, or its own end, and no attempt before another.
          this.checkGoing();
          if (wasLost) attempts.noteLoss(`lost its connection during ${what} (${error.found})`);
          else attempts.note(`got no connection: ${error.found}`);
          log.warn({ err: error, what, losses, runId: identity.runId }, "no connection");
        }
        const wait = Math.min(limits.reconnectPauseMs * 2 ** away.tries, 5_000);
        away.tries += 1;
        await pause(jittered(wait), signal);
      }
    } finally {
      this.#busy = false;
    }
  }

  /**
   * Cancels what the session is doing from a second connection, until it has ended; hangs up on a
   * server where it does not end, and on one that gives no second connection. Sticky: the session
   * does nothing more.
   */
  async cancel(): Promise<void> {
    this.#cancelled = true;
    if (!this.#busy || !this.#held) return;
    const name = `berth-cancel:${this.context.identity.runId}`;
    let client: pg.Client | undefined;
    try {
      client = await this.context.connect(name);
      client.on("error", () => undefined);
      await this.#askToEnd(client);
    } finally {
      // Whether it took effect after all, the ledger tells.
      if (this.#busy) this.#held?.client.connection.stream.destroy();
      if (client) await endSession(client);
    }
  }

  /** More than once: the first may arrive between two of the session's statements. */
  async #askToEnd(client: pg.Client): Promise<void> {
    const deadline = Date.now() + CANCEL_MS;
    while (this.#busy && Date.now() < deadline) {
      // The name guards against a process id that has been given to another session meanwhile.
      await sendScript(
        client,
        `select pg_catalog.pg_cancel_backend(pid) from pg_catalog.pg_stat_activity
         where pid = ${Math.trunc(this.#held?.pid ?? 0)}
           and application_name = ${literal(applicationName(this.context.identity))}`,
        { silenceMs: CANCEL_MS },
      );
      await sleep(100);
    }
  }

  /** Gives the lock back and ends the session. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#drop(true);
  }

  /** What a statement's failure means to the caller; typed errors pass. */
  #explain(what: string, error: unknown): unknown {
    if (!(error instanceof ScriptFailure)) return error;
    if (error.sqlstate === "57014" && this.#cancelled) return new CancelledError();
    return new DatabaseRefusedError(
      what,
      error.sqlstate,
      redactServerText(error.message, error.sqlstate),
    );
  }

  /** @throws StepsLostError, and what {@link acquire} throws */
  async #acquire(): Promise<HeldConnection> {
    const held = await acquire(this.context);
    const lost = await missingVersions(held.client, [...this.#recorded]).catch(async (error) => {
      await endSession(held.client);
      throw error;
    });
    if (lost.length === 0) return held;
    await endSession(held.client);
    throw new StepsLostError(lost);
  }

  async #drop(orderly = false): Promise<void> {
    const held = this.#held;
    this.#held = null;
    if (!held) return;
    await (orderly ? leaveSession(held.client) : endSession(held.client));
  }
}
