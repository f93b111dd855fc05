import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createLogger } from "./log.ts";
import { installShutdown, type ShutdownPhase } from "./shutdown.ts";

function setUp(phases: ShutdownPhase[], timeoutMs = 2_000) {
  const lines: string[] = [];
  const exits: number[] = [];
  const source = new EventEmitter();
  const shutdown = installShutdown({
    phases,
    timeoutMs,
    log: createLogger({ level: "info", destination: { write: (line) => void lines.push(line) } }),
    source,
    exit: (code) => void exits.push(code),
  });
  return { shutdown, source, exits, text: () => lines.join("") };
}

const never = () => new Promise<never>(() => {});

test("phases run one after the other, in order, and the process ends with 0", async () => {
  const order: string[] = [];
  const { shutdown, source, exits } = setUp([
    {
      name: "first",
      run: async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        order.push("first");
      },
    },
    { name: "second", run: () => order.push("second") },
  ]);
  expect(shutdown.signal.aborted).toBe(false);
  source.emit("SIGTERM");
  expect(shutdown.signal.aborted).toBe(true);
  await shutdown.begin("again");
  expect(order).toEqual(["first", "second"]);
  expect(exits).toEqual([0]);
});

test("a late and a failing phase do not keep the next from running; the code is 1", async () => {
  const order: string[] = [];
  const { shutdown, exits, text } = setUp([
    { name: "silent", run: never, timeoutMs: 10 },
    {
      name: "throws",
      run: () => {
        throw new Error("broken");
      },
    },
    { name: "last", run: () => order.push("last") },
  ]);
  await shutdown.begin("test");
  expect(order).toEqual(["last"]);
  expect(exits).toEqual([1]);
  expect(text()).toContain('"phase":"silent"');
  expect(text()).toContain("broken");
});

test("the whole is bounded, not only each phase", async () => {
  const { shutdown, exits } = setUp(
    Array.from({ length: 50 }, (_, index) => ({ name: `${index}`, run: never, timeoutMs: 60_000 })),
    50,
  );
  await shutdown.begin("test");
  expect(exits).toEqual([1]);
});

test("a second signal exits at once", () => {
  const { source, exits } = setUp([{ name: "silent", run: never }]);
  source.emit("SIGINT");
  expect(exits).toEqual([]);
  source.emit("SIGINT");
  expect(exits).toEqual([1]);
});

test("a parent that went away and an unhandled error begin it", async () => {
  const orphan = setUp([]);
  orphan.source.emit("disconnect");
  await orphan.shutdown.begin("again");
  expect(orphan.exits).toEqual([0]);

  const crashed = setUp([]);
  crashed.source.emit("unhandledRejection", new Error("lost"));
  await crashed.shutdown.begin("again");
  expect(crashed.exits).toEqual([1]);
  expect(crashed.text()).toContain("lost");
});

test("a real process ends on SIGTERM, its phases done", async () => {
  const here = (name: string) => JSON.stringify(fileURLToPath(new URL(name, import.meta.url)));
  const child = spawn(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `import { createLogger } from ${here("./log.ts")};
       import { installShutdown } from ${here("./shutdown.ts")};
       const timer = setInterval(() => {}, 1000);
       installShutdown({
         log: createLogger({ level: "info" }),
         timeoutMs: 5000,
         phases: [{ name: "timer", run: () => console.log("phase ran") }],
       });
       console.log("up");`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    if (!output.includes("up") && (output + chunk).includes("up")) child.kill("SIGTERM");
    output += chunk;
  });
  const [code] = await once(child, "exit");
  expect(code).toBe(0);
  expect(output).toContain("phase ran");
});
