import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Api, newCustomer, startBerth, type TestBerth } from "../support/berth.ts";
import { readContract } from "../support/contract.ts";
import { openPeople, type People } from "../support/people.ts";

let berth: TestBerth;
let people: People;
let takeIn: Api;
/** Two admins and a supervisor, each with a key of their own. */
let kim: Api;
let lou: Api;
let sam: Api;

beforeAll(async () => {
  // Nothing is built here, and a claim that is over must not be ended by the housekeeping first.
  berth = await startBerth({ workers: 0 });
  people = openPeople(berth);
  const contract = await readContract(berth.api);
  takeIn = contract.checked(berth.api);
  const keyed = async (role: "admin" | "supervisor", name: string) =>
    contract.checked(berth.api.as(await people.key(await people.staff(role, name))));
  kim = await keyed("admin", "Kim");
  lou = await keyed("admin", "Lou");
  sam = await keyed("supervisor", "Sam");
});
afterAll(async () => {
  await people?.close();
  await berth?.stop();
});

async function newRequest(): Promise<string> {
  const made = await takeIn("POST", "/api/customers", newCustomer());
  expect(made.status).toBe(201);
  return made.body.requestId;
}
const act = (who: Api, id: string, name: string, body?: unknown) =>
  who("POST", `/api/queue/${id}/${name}`, body);
const code = (answer: { body: { type?: string } }) => answer.body.type?.split("#")[1];
const credentials = {
  url: "https://abcdefghijklmnopqrst.supabase.co",
  anonKey: "a",
  serviceRoleKey: "s",
  databaseUrl: "postgresql://postgres:x@db.abcdefghijklmnopqrst.supabase.co:5432/postgres",
};

describe("two admins at one request", () => {
  it("that claim at once: one has it, and the other is told who", async () => {
    for (let round = 0; round < 20; round += 1) {
      const id = await newRequest();
      const answers = await Promise.all(
        (round % 2 ? [kim, lou] : [lou, kim]).map((who) => act(who, id, "claim")),
      );
      const won = answers.find(({ status }) => status === 200);
      const lost = answers.find(({ status }) => status === 409);
      const { assignee } = won?.body ?? {};
      expect(["Kim", "Lou"]).toContain(assignee.name);
      expect(lost?.body).toMatchObject({
        type: "/docs/api#request_held",
        detail: `${assignee.name} has claimed this request.`,
        found: assignee.name,
        holder: assignee,
      });
      const { body } = await sam("GET", `/api/queue/${id}`);
      expect(body).toMatchObject({ status: "in_progress", position: null, assignee });
      expect(body.timeline.map(({ kind }: { kind: string }) => kind)).toEqual([
        "claimed",
        "received",
      ]);
    }
  });

  it("may claim again what they have, and do nothing to what the other has", async () => {
    const id = await newRequest();
    const first = await act(kim, id, "claim");
    const again = await act(kim, id, "claim");
    expect([again.status, again.body]).toEqual([200, first.body]);
    for (const name of ["claim", "release", "cancel", "retry", "credentials"]) {
      const answer = await act(lou, id, name, name === "credentials" ? credentials : undefined);
      expect([answer.status, code(answer)], name).toEqual([409, "request_held"]);
      expect(answer.body.holder.name).toBe("Kim");
    }
    expect((await kim("GET", `/api/queue/${id}`)).body).toEqual(first.body);
  });

  it("hand over by releasing, or by a supervisor", async () => {
    const id = await newRequest();
    await act(kim, id, "claim");
    const released = await act(kim, id, "release");
    expect(released.body).toMatchObject({
      status: "pending",
      assignee: null,
      claimExpiresAt: null,
      position: expect.any(Number),
    });
    expect((await act(lou, id, "claim")).body.assignee.name).toBe("Lou");
    expect((await act(sam, id, "release")).body.status).toBe("pending");
    expect((await act(kim, id, "claim")).body.assignee.name).toBe("Kim");
  });
});

describe("a claim that is over", () => {
  it("is told to who had it, and is anybody's", async () => {
    const id = await newRequest();
    await act(kim, id, "claim");
    await people.sql(
      "update provisioning_queue set lease_expires_at = now() - interval '1 second', version = version + 1 where id = $1",
      [id],
    );
    for (const name of ["cancel", "credentials"]) {
      const answer = await act(kim, id, name, name === "credentials" ? credentials : undefined);
      expect([answer.status, code(answer)], name).toEqual([409, "claim_expired"]);
    }
    expect((await act(lou, id, "claim")).body.assignee.name).toBe("Lou");
    expect(code(await act(kim, id, "cancel"))).toBe("request_held");
  });
});

describe("an act in the wrong state", () => {
  /** What is refused as not possible now, by the state that a request is in. */
  const REFUSED: Record<string, string[]> = {
    pending: ["release", "retry", "credentials"],
    in_progress: ["retry"],
    waiting_on_customer: ["release", "retry"],
    credentials_received: ["claim", "release", "retry", "credentials", "cancel"],
    migrating: ["claim", "release", "retry", "credentials", "cancel"],
    completed: ["claim", "release", "retry", "credentials", "cancel"],
    failed: ["release"],
    cancelled: ["claim", "release", "retry", "credentials", "cancel"],
  };

  it.each(Object.entries(REFUSED))("is 409, and says which: %s", async (status, names) => {
    const id = await newRequest();
    if (status !== "pending") await act(kim, id, "claim");
    // Straight into the state, past the rules: the acts alone are judged here.
    await people.sql(`
      begin; set local session_replication_role = replica;
      update provisioning_queue set status = '${status}' where id = '${id}'; commit`);
    for (const name of names) {
      const answer = await act(kim, id, name, name === "credentials" ? credentials : undefined);
      expect([answer.status, code(answer)], name).toEqual([409, "request_wrong_state"]);
      expect(answer.body.found).toBe(status);
      expect(answer.body.needed).toMatch(/^[a-z_ ]+$/);
    }
    expect((await kim("GET", `/api/queue/${id}`)).body.status).toBe(status);
  });

  it("is 422 where a request has no credentials to take up", async () => {
    const id = await newRequest();
    await act(kim, id, "claim");
    for (const body of [undefined, {}]) {
      const answer = await act(kim, id, "credentials", body);
      expect([answer.status, code(answer)]).toEqual([422, "credentials_missing"]);
    }
    for (const body of [[], null, "", 7]) {
      const answer = await act(kim, id, "credentials", JSON.stringify(body));
      expect([answer.status, code(answer)], String(body)).toEqual([422, "fields_invalid"]);
    }
  });
});

describe("cancelling", () => {
  it("ends a request for good, from the queue and from the desk", async () => {
    const waiting = await newRequest();
    const claimed = await newRequest();
    await act(kim, claimed, "claim");
    for (const id of [waiting, claimed]) {
      const { status, body } = await act(kim, id, "cancel");
      expect([status, body.status]).toEqual([200, "cancelled"]);
      expect(body).toMatchObject({ position: null, endedAt: expect.any(String) });
      expect(body.mails.map(({ kind }: { kind: string }) => kind)).toContain("cancelled");
      const audit = await takeIn("GET", `/api/audit?requestId=${id}&action=request.cancelled`);
      expect(audit.body.records).toHaveLength(1);
    }
  });

  it("happens once, of five at once", async () => {
    const id = await newRequest();
    const answers = await Promise.all(Array.from({ length: 5 }, () => act(kim, id, "cancel")));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
  });
});
