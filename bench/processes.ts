import { fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { atEnd } from "./ending.ts";

export const ROOT = path.join(import.meta.dirname, "..");
const ANSWER_TIMEOUT_MS = 120_000;

/** A process of the bench and the channel to it. It ends with the bench: the channel closes. */
export interface Process {
  /** Sends this and resolves with the next answer. */
  ask<T>(message: string | object): Promise<T>;
  /** Resolves with the next answer; rejects when the process ends before it. */
  next<T>(): Promise<T>;
  /** Resolves with its code, null after a signal. */
  ended: Promise<number | null>;
  stop(): Promise<void>;
}

interface Options {
  args?: string[];
  execArgv?: string[];
  env?: Record<string, string>;
}

/**
 * Starts a program. What it prints as a matter of course is not kept. Node raises its own limit of
 * open files to the hard one, so no shell has to.
 */
export function startProcess(script: string, options: Options = {}): Process {
  const { args = [], execArgv = [], env } = options;
  const child = fork(script, args, {
    cwd: ROOT,
    env: { PATH: process.env.PATH, NODE_ENV: "production", ...env },
    execArgv,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = new Promise<number | null>((resolve) => {
    // One that could not be started never exits.
    child.once("exit", resolve).on("error", () => resolve(null));
  });
  const name = path.relative(ROOT, script);
  const next = async () => {
    const waiting = new AbortController();
    const { signal } = waiting;
    try {
      return await Promise.race([
        once(child, "message", { signal }).then(([message]) => message),
        ended.then(() => Promise.reject(new Error(`${name} ended by itself.`))),
        sleep(ANSWER_TIMEOUT_MS, undefined, { signal }).then(() =>
          Promise.reject(new Error(`${name} does not answer.`)),
        ),
      ]);
    } finally {
      waiting.abort();
    }
  };
  const stop = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  atEnd(stop);
  return {
    next,
    ask(message) {
      child.send(message);
      return next();
    },
    ended,
    stop,
  };
}

/** A server that is measured, and where it listens on 127.0.0.1. */
export interface MeasuredServer extends Process {
  port: number;
}

/** Starts a server that tells its port by `serveBare`. */
export async function startBare(script: string, options: Options): Promise<MeasuredServer> {
  const server = startProcess(script, options);
  return { ...server, port: await server.next<number>() };
}
