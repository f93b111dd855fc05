import { expect, it } from "vitest";
import { EDGES, HELD } from "#app/domain/queue/index.server.ts";
import { whomToAsk } from "./holder-words.ts";

it("advises to ask for a request back only where its holder can give it back", () => {
  for (const status of HELD) {
    const advice = whomToAsk({ name: "Kim", hasLeft: false }, status);
    expect(advice.includes("give it back"), status).toBe(EDGES[status].includes("pending"));
    expect(advice).toContain("supervisor");
  }
});

it("sends nobody to somebody who has left", () => {
  for (const status of HELD) {
    const advice = whomToAsk({ name: "Kim", hasLeft: true }, status);
    expect(advice).toMatch(/^Kim is no longer on the staff\. Ask a supervisor/);
  }
});
