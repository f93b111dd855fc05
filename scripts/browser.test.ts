import { expect, it } from "vitest";
import { type Candidate, search, type Way } from "./browser.ts";

const way = (name: string, ...paths: string[]): Way => ({
  name,
  say: `${name} …`,
  candidates: async () => paths.map((executablePath) => ({ executablePath, args: [] })),
});

const ways = [
  way("closed"),
  way("broken", "/broken"),
  way("good", "/good", "/better"),
  way("late"),
];
const opens = async ({ executablePath }: Candidate) => executablePath !== "/broken";

it("takes the first browser that opens a page, and tries no further way", async () => {
  const said: string[] = [];
  const found = await search(ways, opens, (message) => said.push(message));
  expect(found.executablePath).toBe("/good");
  expect(said).toEqual(["closed …", "broken …", "good …"]);
});

it("says what to do when there is none", async () => {
  const searched = search(
    ways,
    async () => false,
    () => {},
  );
  await expect(searched).rejects.toThrow(/tried: closed; broken; good; late\)\. Install one/);
});
