/** Faults of the sandbox that strike once, and waiting for them, for several runs at once. */
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

/** The faults of one sandbox. */
export function createSandboxFaults(sandbox: SandboxClient): SandboxFaults {
  type Listed = SandboxFault & { times: number | null };
  const list = async () => (await sandbox.call("GET", "/sandbox/faults")).body.faults as Listed[];
  return {
    async add(fault) {
      await sandbox.addFault({ ...fault, times: 1 });
      return {
        async struck() {
          await eventually(
            `${fault.kind} at ${fault.route}`,
            async () =>
              !(await list()).some(
                ({ ref, route, times }) =>
                  ref === fault.ref && route === fault.route && times !== 0,
              ),
            PATIENCE_MS,
          );
        },
      };
    },
  };
}
