/** The client of the bench `web`: some connections, each with one request after another. */
import { Agent, type IncomingMessage, request } from "node:http";

/** What is asked of one server, for how long. */
export interface Slice {
  url: string;
  headers: Record<string, string>;
  connections: number;
  ms: number;
  /** What stands once in every row of the page. */
  rowMark: string;
  rows: number;
}

/** What came of it: how many answers in a second, and how long each took, in milliseconds. */
export interface Yield {
  perSecond: number;
  times: number[];
  /** Of the last answer, in bytes. */
  size: number;
}

/** This file, as a process of its own: it is sent a {@link Slice} and sends back its {@link Yield}. */
export const load = import.meta.filename;

function count(body: string, mark: string): number {
  let found = 0;
  for (let at = body.indexOf(mark); at !== -1; at = body.indexOf(mark, at + 1)) found += 1;
  return found;
}

const read = (url: string, headers: Slice["headers"], agent: Agent) =>
  new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const asked = request(url, { agent, headers }, (answer: IncomingMessage) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () =>
        resolve({ status: answer.statusCode, body: Buffer.concat(parts).toString("latin1") }),
      );
      answer.on("error", reject);
    });
    asked.on("error", reject);
    asked.end();
  });

/** @throws where an answer is not the whole page */
async function run(slice: Slice): Promise<Yield> {
  const { url, headers, connections, ms, rowMark, rows } = slice;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const times: number[] = [];
  let size = 0;
  const begin = performance.now();
  const lane = async () => {
    while (performance.now() - begin < ms) {
      const asked = performance.now();
      const { status, body } = await read(url, headers, agent);
      times.push(performance.now() - asked);
      const found = count(body, rowMark);
      if (status !== 200 || found !== rows) {
        throw new Error(`${url} answered ${status} with ${found} rows in place of ${rows}.`);
      }
      size = body.length;
    }
  };
  await Promise.all(Array.from({ length: connections }, lane));
  const perSecond = (times.length / (performance.now() - begin)) * 1_000;
  agent.destroy();
  return { perSecond, times, size };
}

if (import.meta.main) {
  process.on("message", async (slice: Slice) => process.send?.(await run(slice)));
  process.on("disconnect", () => process.exit());
}
