/** Switches the sandbox's faults for several runs at once: its own switch replaces all of them. */
import { eventually, PATIENCE_MS, type SandboxClient } from "./berth.ts";

export interface SandboxFault {
  kind: "delay" | "drop" | "accept-then-drop";
  ref: string;
  /** As the sandbox takes it: `METHOD /path`. */
  route: string;
  /** Milliseconds, for `delay`. */
  ms?: number;
}

export interface SandboxFaults {
  /** Lets a fault strike once. */
  add(fault: SandboxFault): Promise<{ struck(): Promise<void> }>;
}

/** The faults of one sandbox; nobody else may switch them. */
export function createSandboxFaults(sandbox: SandboxClient): SandboxFaults {
  let line: Promise<unknown> = Promise.resolve();
  type Listed = SandboxFault & { times: number | null; hits: number };
  const list = async () => (await sandbox.call("GET", "/sandbox/faults")).body.faults as Listed[];
  const waiting = (faults: Listed[]) => faults.filter(({ times }) => times !== 0);

  return {
    async add(fault) {
      const added = line.then(async () => {
        const others = waiting(await list()).map(({ hits: _hits, ...other }) => other);
        const body = { faults: [...others, { ...fault, times: 1 }] };
        const { status } = await sandbox.call("PUT", "/sandbox/faults", body);
        if (status !== 200) throw new Error(`The fault was not taken: ${JSON.stringify(fault)}`);
      });
      line = added.catch(() => undefined);
      await added;
      return {
        async struck() {
          await eventually(
            `${fault.kind} at ${fault.route}`,
            async () =>
              !waiting(await list()).some(
                (one) => one.ref === fault.ref && one.route === fault.route,
              ),
            PATIENCE_MS,
          );
        },
      };
    },
  };
}
