/** `npm run bench -- NAME [--json]`: measurements side by side, as ratios taken in one run. */
import { parseArgs } from "node:util";
import { toItsEnd } from "./ending.ts";
import { benchLive } from "./live/bench.ts";
import { benchPositions } from "./positions.ts";
import { benchQueue } from "./queue.ts";
import { asTable, type Report } from "./report.ts";
import { benchRunner } from "./runner/bench.ts";
import { benchWeb } from "./web/bench.ts";

const BENCHES: Record<string, () => Promise<Report>> = {
  runner: benchRunner,
  queue: benchQueue,
  positions: benchPositions,
  live: benchLive,
  web: benchWeb,
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false } },
});
const names = positionals.length > 0 ? positionals : Object.keys(BENCHES);
for (const name of names) {
  const bench = BENCHES[name];
  if (!bench) {
    process.stderr.write(
      `There is no bench "${name}". There are: ${Object.keys(BENCHES).join(", ")}.\n`,
    );
    process.exit(1);
  }
  const report = await toItsEnd(bench);
  if (!report) process.exit(130);
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : asTable(report));
}
