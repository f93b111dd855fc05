import { randomUUID } from "node:crypto";
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Api, newCustomer, startBerth, type TestBerth } from "../support/berth.ts";
import { type Contract, readContract } from "../support/contract.ts";
import { openPeople, type People } from "../support/people.ts";

let berth: TestBerth;
let people: People;
let contract: Contract;
let api: Api;
const NOBODY = "00000000-0000-7000-8000-000000000000";

beforeAll(async () => {
  berth = await startBerth();
  people = openPeople(berth);
  contract = await readContract(berth.api);
  api = contract.checked(berth.api);
});
afterAll(async () => {
  await people?.close();
  await berth?.stop();
});

const code = (answer: { body: { type?: string } }) => answer.body.type?.split("#")[1];
const fields = (answer: { body: { errors?: { field: string }[] } }) =>
  answer.body.errors?.map(({ field }) => field);
const post = (body: unknown, key: string) =>
  api("POST", "/api/customers", body, { "Idempotency-Key": key });

describe("what is not there", () => {
  it("is 404 as a problem, below /api", async () => {
    for (const path of ["/api", "/api/", "/api/nothing", "/api/queue/a/b/c", "/api/customers/1"]) {
      for (const method of ["GET", "POST", "DELETE"]) {
        const answer = await api(method, path);
        expect([answer.status, code(answer)], `${method} ${path}`).toEqual([404, "not_found"]);
      }
    }
  });

  it("is 405 with what is allowed, for another method", async () => {
    for (const path of new Set(contract.calls.map((call) => call.path))) {
      const allowed = contract.calls.filter((call) => call.path === path).map((one) => one.method);
      for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS", "GET", "POST"]) {
        if (allowed.includes(method)) continue;
        const answer = await api(method, path.replace("{requestId}", NOBODY));
        expect([answer.status, code(answer)], `${method} ${path}`).toEqual([
          405,
          "method_not_allowed",
        ]);
        expect(answer.headers.get("allow")?.split(", ").sort()).toEqual(allowed.sort());
      }
    }
  });

  it("is 404 for a request that nobody made, and for what is no id of one", async () => {
    const ids = [NOBODY, randomUUID(), "1", "null", "..%2f", "%00", "' or 1=1", NOBODY.slice(1)];
    const calls = contract.calls.filter(({ path }) => path.includes("{requestId}"));
    expect(calls).toHaveLength(10);
    for (const { method, path } of calls) {
      // The other calls look for the request before they judge what they were sent.
      const body = path.endsWith("/settings") ? { version: 1, parameters: {} } : undefined;
      for (const id of ids) {
        const answer = await api(method, path.replace("{requestId}", encodeURIComponent(id)), body);
        expect([answer.status, code(answer)], `${path} ${id}`).toEqual([404, "request_not_found"]);
      }
    }
    // A customer's id is an id, but of no request.
    const { body } = await post(newCustomer(), "foreign");
    const wrong = await api("GET", `/api/queue/${body.customerId}`);
    expect(wrong.status).toBe(404);
    expect(await api("GET", `/api/queue/${body.requestId}`)).toMatchObject({ status: 200 });
  });
});

describe("a query", () => {
  it.each([
    ["/api/queue?status=done", ["status"]],
    ["/api/queue?priority=urgent", ["priority"]],
    ["/api/queue?limit=0", ["limit"]],
    ["/api/queue?limit=201", ["limit"]],
    ["/api/queue?limit=ten", ["limit"]],
    ["/api/queue?limit=1.5", ["limit"]],
    ["/api/queue?cursor=x", ["cursor"]],
    ["/api/queue?status=pending&status=failed", ["status"]],
    ["/api/queue?limit=1&limit=1", ["limit"]],
    ["/api/queue?assigneeId=me", ["assigneeId"]],
    ["/api/queue?__proto__=x", ["__proto__"]],
    [`/api/queue/${NOBODY}?x=1`, ["x"]],
    ["/api/customers", ["email"]],
    ["/api/customers?email=nobody", ["email"]],
    ["/api/customers?email=a@b.co,c@d.co", ["email"]],
    ["/api/customers?email=a@b.co&email=c@d.co", ["email"]],
    ["/api/audit?requestId=1", ["requestId"]],
    ["/api/audit?from=yesterday", ["from"]],
    ["/api/audit?cursor=-1", ["cursor"]],
    ["/api/audit?cursor=99999999999999999999", ["cursor"]],
    ["/api/audit?limit=1000&to=x", ["to", "limit"]],
  ])("is refused where it is wrong: %s", async (path, wrong) => {
    const answer = await api("GET", path);
    expect([answer.status, code(answer), fields(answer)]).toEqual([422, "fields_invalid", wrong]);
  });

  it("may leave filters empty", async () => {
    const answer = await api("GET", "/api/queue?status=&priority=&limit=&cursor=");
    expect(answer.status).toBe(200);
    expect(answer.body.requests.length).toBeGreaterThan(0);
  });
});

describe("answers to what the features ask", () => {
  it("are completed by what stands there beforehand, and shown with the request", async () => {
    const wish = newCustomer({ timezone: "Asia/Tokyo", features: [] });
    const made = await api("POST", "/api/customers", {
      ...wish,
      parameters: { base: { currency: "jpy" } },
    });
    expect(made.status).toBe(201);
    const base = {
      company_name: wish.company,
      currency: "JPY",
      time_zone: "Asia/Tokyo",
      locale: "de",
    };
    const { body } = await api("GET", `/api/queue/${made.body.requestId}`);
    expect(body.parameters).toMatchObject({ base });
    const plain = await api("POST", "/api/customers", newCustomer({ features: [] }));
    const seen = await api("GET", `/api/queue/${plain.body.requestId}`);
    expect(seen.body.parameters.base.currency).toBe("EUR");
  });
});

describe("an Idempotency-Key", () => {
  it("gives the same answer to the same body, in any order of its names", async () => {
    const wish = newCustomer();
    const first = await post(wish, "same");
    expect(first.status).toBe(201);
    const again = await post(wish, "same");
    expect([again.status, again.body]).toEqual([201, first.body]);
    const turned = Object.fromEntries(Object.entries(wish).reverse());
    expect((await post(turned, "same")).body).toEqual(first.body);
    // Also when things have moved on.
    await api("POST", `/api/queue/${first.body.requestId}/claim`);
    expect((await post(wish, "same")).body).toEqual(first.body);
    expect((await api("GET", `/api/customers?email=${wish.email}`)).body.customers).toEqual([
      expect.objectContaining({ requests: [expect.anything()] }),
    ]);
  });

  it("is refused with another body, and that leaves nothing", async () => {
    const wish = newCustomer();
    await post(wish, "other");
    for (const change of [{ company: "Else" }, { features: ["pos"] }, { phone: "+49 30 123456" }]) {
      const answer = await post({ ...wish, ...change }, "other");
      expect([answer.status, code(answer)]).toEqual([422, "idempotency_mismatch"]);
    }
    const { body } = await api("GET", `/api/customers?email=${wish.email}`);
    expect(body.customers.map((one: { requests: unknown[] }) => one.requests.length)).toEqual([1]);
  });

  it("makes one request of twenty at once", async () => {
    const wish = newCustomer();
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(wish, "twenty")));
    for (const answer of answers) {
      expect([answer.status, answer.body]).toEqual([201, answers[0]?.body]);
    }
    const { body } = await api("GET", `/api/customers?email=${wish.email}`);
    expect(body.customers[0].requests).toHaveLength(1);
    const mails = await people.sql("select 1 from outbox where recipient = $1", [wish.email]);
    expect(mails).toHaveLength(1);
  });

  it("does not remember a refusal: what was wrong may be mended under the same key", async () => {
    const wish = newCustomer();
    const impossible = await post({ ...wish, features: ["teleport"] }, "mended");
    expect([impossible.status, code(impossible), fields(impossible)]).toEqual([
      422,
      "choice_not_possible",
      ["features"],
    ]);
    expect((await post({ ...wish, country: "ZZ" }, "mended")).status).toBe(422);
    expect((await post(wish, "mended")).status).toBe(201);
  });

  it("belongs to the person who used it, and must be one word", async () => {
    const other = await people.staff("admin", "Other Admin");
    const key = await people.key(other);
    const mine = await post(newCustomer(), "word");
    const theirs = await api.as(key)("POST", "/api/customers", newCustomer(), {
      "Idempotency-Key": "word",
    });
    expect(theirs.status).toBe(201);
    expect(theirs.body.requestId).not.toBe(mine.body.requestId);
    for (const word of ["two words", "x".repeat(201), "é"]) {
      const answer = await post(newCustomer(), word);
      expect([answer.status, fields(answer)], word).toEqual([422, ["Idempotency-Key"]]);
    }
  });
});

describe("pages", () => {
  it("of the queue and of the audit record hold everything once, in order", async () => {
    for (const [path, few] of [
      ["/api/queue", 7],
      ["/api/audit", 90],
    ] as const) {
      const name = path === "/api/queue" ? "requests" : "records";
      const id = (one: { requestId: string; id: number }) =>
        name === "records" ? one.id : one.requestId;
      const walk = async (limit: number) => {
        const seen = [];
        let cursor = "";
        do {
          const { body } = await api("GET", `${path}?limit=${limit}&cursor=${cursor}`);
          seen.push(...body[name].map(id));
          cursor = body.nextCursor ?? "";
        } while (cursor !== "" && seen.length < 100_000);
        return seen;
      };
      const small = await walk(few);
      const large = await walk(200);
      expect(small.length).toBeGreaterThan(few);
      expect(new Set(large).size).toBe(large.length);
      // The worker adds to the record's head in the meantime; what was there is the same.
      expect(large.slice(large.length - small.length)).toEqual(small);
      if (name === "requests") expect(large.length).toBe(small.length);
    }
  });

  it("can be narrowed", async () => {
    const { body: made } = await post(newCustomer({ priority: "vip" }), "narrow");
    const vip = await api("GET", "/api/queue?priority=vip&status=pending");
    expect(vip.body.requests.map((one: { requestId: string }) => one.requestId)).toEqual([
      made.requestId,
    ]);
    const about = await api(
      "GET",
      `/api/audit?requestId=${made.requestId}&action=request.received`,
    );
    expect(about.body.records).toHaveLength(1);
    expect(about.body.records[0]).toMatchObject({
      subjectId: made.requestId,
      actorKind: "api",
      origin: expect.stringMatching(/^127\.0\.0\.1 key /),
      correlationId: expect.stringMatching(/./),
    });
    const future = await api("GET", "/api/audit?from=2999-01-01T00:00:00Z");
    expect(future.body).toEqual({ records: [], nextCursor: null });
  });
});

/** Sends a body of this many bytes in pieces, without saying how large it will be. */
function sendChunks(path: string, headers: Record<string, string>, bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(`${berth.local.info.url}${path}`, { method: "POST", headers });
    sent.on("response", (response) => resolve(response.resume().statusCode ?? 0));
    sent.on("error", reject);
    const piece = Buffer.alloc(16_384, "x");
    const write = (left: number) => {
      if (left <= 0) return sent.end();
      sent.write(piece, () => setImmediate(write, left - piece.length));
    };
    write(bytes);
  });
}

describe("too much", () => {
  it("of a body is 413, in one piece or in many, and the next call is answered", async () => {
    const large = await api("POST", "/api/customers", { company: "x".repeat(10_000_000) });
    expect([large.status, code(large)]).toEqual([413, "body_too_large"]);
    const headers = {
      authorization: `Bearer ${berth.local.info.apiKey}`,
      "content-type": "application/json",
    };
    for (const bytes of [80_000, 10_000_000]) {
      expect(await sendChunks("/api/customers", headers, bytes)).toBe(413);
    }
    expect((await api("GET", "/api/queue?limit=1")).status).toBe(200);
  });

  it("of a form whose length nobody knows is 411, and the next page is answered", async () => {
    const headers = {
      origin: berth.local.info.url,
      "content-type": "application/x-www-form-urlencoded",
    };
    for (const bytes of [16_384, 200_000]) {
      expect(await sendChunks("/sign-up/business", headers, bytes)).toBe(411);
    }
    expect((await fetch(`${berth.local.info.url}/sign-up/business`)).status).toBe(200);
  });

  it("of strangers' calls is 429 with the seconds to wait, and does not touch who has a key", async () => {
    const answers = await Promise.all(
      Array.from({ length: 150 }, () => api.as("berth_guess")("GET", "/api/queue")),
    );
    const limited = answers.filter(({ status }) => status === 429);
    // Sixty a minute, of at most two minutes that these calls fell into.
    expect(limited.length).toBeGreaterThanOrEqual(30);
    expect(answers.filter(({ status }) => status === 401).length).toBe(150 - limited.length);
    for (const answer of limited) {
      expect(code(answer)).toBe("rate_limited");
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
      expect(Number(answer.headers.get("retry-after"))).toBeLessThanOrEqual(60);
    }
    // Another address is not believed because the caller says so.
    const rotated = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        api.as("berth_guess")("GET", "/api/queue", undefined, {
          "x-forwarded-for": `198.51.100.${i}`,
        }),
      ),
    );
    expect(rotated.some(({ status }) => status === 429)).toBe(true);
    expect((await api("GET", "/api/queue?limit=1")).status).toBe(200);
  });
});
