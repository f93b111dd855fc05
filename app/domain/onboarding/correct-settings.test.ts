/** Answers that are corrected at the desk after the sign-up. */
import { eq } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { provisioningQueue } from "#db/queue.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { NotStaffError } from "../identity/index.server.ts";
import { cancelRequest, trackRequest } from "../provisioning/index.server.ts";
import {
  addNote,
  ClaimExpiredError,
  changePriority,
  claimRequest,
  HeldByOtherError,
  MovedOnError,
  RequestNotFoundError,
  type Seen,
  WrongStateError,
} from "../queue/index.server.ts";
import {
  AnswersNotPossibleError,
  correctedSince,
  correctSettings,
  SettingsClosedError,
  viewCorrection,
} from "./index.server.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterEach(() => desk.base.shiftClock("0"));
afterAll(() => desk?.base.drop());

type Who = "kim" | "lou" | "sam" | "worker";
const view = (id: string) =>
  desk.as(desk.kim, (tx) => viewCorrection({ tx, catalog: desk.catalog }, id));
const correct = (
  who: Who,
  id: string,
  given: Record<string, Record<string, unknown>>,
  seen: Seen,
) =>
  desk.as(desk[who], (tx) =>
    correctSettings({ tx, actor: desk[who], catalog: desk.catalog }, id, given, seen),
  );
const fresh = async (who: Who, id: string, given: Record<string, Record<string, unknown>>) =>
  correct(who, id, given, (await view(id)).seen);
const claim = (who: Who, id: string) =>
  desk.as(desk[who], (tx) => claimRequest({ tx, actor: desk[who] }, id));
const claimed = async (wish: Record<string, unknown> = {}) => {
  const { id } = await desk.request(wish);
  await claim("kim", id);
  return id;
};
const rowOf = async (id: string) =>
  (await desk.base.admin.query("select * from provisioning_queue where id = $1", [id])).rows[0];
/** Lets a customer's account be the request's. */
const belongsTo = (id: string, account: string) =>
  desk.base.admin.query(
    `update customers set user_id = $2 where id =
       (select customer_id from provisioning_queue where id = $1)`,
    [id, account],
  );
const tracesOf = async (id: string) => {
  const [events, records] = await Promise.all([
    desk.base.admin.query(
      "select data from request_events where request_id = $1 and kind = 'settings_corrected' order by id",
      [id],
    ),
    desk.base.admin.query(
      "select actor_id, data from audit_log where request_id = $1 and action = 'request.settings_corrected' order by id",
      [id],
    ),
  ]);
  return { events: events.rows, records: records.rows };
};
describe("a correction", () => {
  it("changes what is given, tells which questions, and no answer", async () => {
    const id = await claimed({ company: "Rope & Sail" });
    const before = await rowOf(id);
    const given = { base: { currency: "chf", company_name: " Rope & Sail AG " }, pos: {} };
    await fresh("kim", id, given);
    const after = await rowOf(id);
    expect(after.parameters).toEqual({
      ...before.parameters,
      base: { ...before.parameters.base, currency: "CHF", company_name: "Rope & Sail AG" },
    });
    expect(after.version).toBeGreaterThan(before.version);
    expect(after.status).toBe("in_progress");
    const { events, records } = await tracesOf(id);
    const data = { answers: ["base.company_name", "base.currency"] };
    expect(events).toEqual([{ data }]);
    expect(records).toEqual([{ actor_id: "kim", data }]);
  });

  it("is seen by the customer, who gets no mail about it", async () => {
    const ann = await desk.newcomer();
    const id = await claimed();
    await fresh("kim", id, { base: { locale: "fr" } });
    const mails = await desk.base.admin.query("select kind from outbox where request_id = $1", [
      id,
    ]);
    expect(mails.rows.map(({ kind }) => kind).sort()).toEqual(["claimed", "received"]);
    await belongsTo(id, ann.id);
    const { timeline, parameters } = await desk.as(ann, (tx) =>
      trackRequest({ tx, catalog: desk.catalog }, id),
    );
    expect(timeline[0]).toMatchObject({
      title: "Your settings were corrected by our team",
      text: null,
    });
    expect(parameters.base?.locale).toBe("fr");
  });

  it("that changes nothing leaves no trace", async () => {
    const id = await claimed();
    const { parameters } = await rowOf(id);
    await fresh("kim", id, parameters);
    await fresh("kim", id, {});
    expect(await tracesOf(id)).toEqual({ events: [], records: [] });
    expect((await rowOf(id)).parameters).toEqual(parameters);
  });

  it("keeps what nobody asks any more", async () => {
    const id = await claimed();
    const { parameters } = await rowOf(id);
    const old = { ...parameters, base: { ...parameters.base, colour: "red" }, gone: { a: "1" } };
    await desk.plant(id, { parameters: JSON.stringify(old) });
    await fresh("kim", id, { base: { currency: "USD" } });
    expect((await rowOf(id)).parameters).toEqual({
      ...old,
      base: { ...old.base, currency: "USD" },
    });
  });

  it("mends an answer that a feature does not take", async () => {
    const id = await claimed();
    const { parameters } = await rowOf(id);
    const wrong = { ...parameters, base: { ...parameters.base, currency: "Silbergroschen" } };
    await desk.plant(id, { parameters: JSON.stringify(wrong) });
    await expect(fresh("kim", id, { base: { locale: "fr" } })).rejects.toThrow(
      AnswersNotPossibleError,
    );
    await fresh("kim", id, { base: { currency: "EUR" } });
    expect((await rowOf(id)).parameters).toEqual({
      ...parameters,
      base: { ...parameters.base, currency: "EUR" },
    });
  });
});

describe("who may correct", () => {
  it("is who holds the request, and a supervisor", async () => {
    const id = await claimed();
    await expect(fresh("lou", id, { base: { currency: "USD" } })).rejects.toThrow(HeldByOtherError);
    await fresh("sam", id, { base: { currency: "USD" } });
    expect((await rowOf(id)).parameters.base.currency).toBe("USD");
  });

  it("is nobody outside the staff, and nobody who took it off", async () => {
    const id = await claimed();
    const { seen } = await view(id);
    const { catalog } = desk;
    const actor = { ...desk.kim, id: "nobody" };
    const given = { base: { currency: "USD" } };
    await expect(
      desk.as(actor, (tx) => correctSettings({ tx, actor, catalog }, id, given, seen)),
    ).rejects.toThrow(NotStaffError);
    expect(await tracesOf(id)).toEqual({ events: [], records: [] });
  });

  it("is no customer: the database lets them read their own answers, and write none", async () => {
    const id = await claimed();
    const ann = await desk.newcomer();
    await belongsTo(id, ann.id);
    const { parameters } = await rowOf(id);
    const own = eq(provisioningQueue.id, id);
    const read = await desk.as(ann, (tx) => tx.select().from(provisioningQueue).where(own));
    expect(read).toHaveLength(1);
    await expect(
      desk.as(ann, (tx) => tx.update(provisioningQueue).set({ parameters: {} }).where(own)),
    ).rejects.toMatchObject({ cause: { code: "42501" } });
    expect((await rowOf(id)).parameters).toEqual(parameters);
  });

  it("has to claim it, and to hold the claim still", async () => {
    const { id } = await desk.request();
    await expect(fresh("kim", id, { base: { currency: "USD" } })).rejects.toThrow(WrongStateError);
    await claim("kim", id);
    const { seen } = await view(id);
    await desk.base.shiftClock("5 hours");
    await expect(correct("kim", id, { base: { currency: "USD" } }, seen)).rejects.toThrow(
      ClaimExpiredError,
    );
  });

  it("may do so while it waits on the customer, and after a run that failed", async () => {
    for (const status of ["waiting_on_customer", "failed"]) {
      const id = await claimed();
      await desk.plant(id, { status });
      await fresh("kim", id, { base: { currency: "USD" } });
      expect(await rowOf(id)).toMatchObject({ status, parameters: { base: { currency: "USD" } } });
    }
  });

  it("finds no request that is not there", async () => {
    const nobody = "019a0000-0000-7000-8000-000000000000";
    await expect(view(nobody)).rejects.toThrow(RequestNotFoundError);
    await expect(correct("kim", nobody, {}, { version: 1, eventId: 0 })).rejects.toThrow(
      RequestNotFoundError,
    );
  });
});

describe("a correction from a stale page", () => {
  it("is not made", async () => {
    const id = await claimed();
    const { seen } = await view(id);
    await fresh("kim", id, { base: { currency: "USD" } });
    await expect(correct("kim", id, { base: { locale: "fr" } }, seen)).rejects.toThrow(
      MovedOnError,
    );
    expect((await rowOf(id)).parameters.base).toMatchObject({ currency: "USD", locale: "de" });
  });

  it("is told what was corrected meanwhile, whatever else happened", async () => {
    const id = await claimed();
    const { seen } = await view(id);
    for (let note = 1; note <= 25; note += 1) {
      await desk.as(desk.lou, (tx) => addNote({ tx, actor: desk.lou }, id, `Note ${note}`));
    }
    await fresh("kim", id, { base: { currency: "USD", locale: "fr" } });
    await fresh("kim", id, { base: { currency: "CHF" } });
    const since = (eventId: number) => desk.as(desk.kim, (tx) => correctedSince(tx, id, eventId));
    expect([...(await since(seen.eventId))].sort()).toEqual(["base.currency", "base.locale"]);
    expect(await since((await view(id)).seen.eventId)).toEqual(new Set());
  });

  it("is made where nothing that matters has changed", async () => {
    const id = await claimed();
    const { seen } = await view(id);
    await desk.as(desk.lou, (tx) => addNote({ tx, actor: desk.lou }, id, "By the way"));
    await desk.as(desk.sam, (tx) => changePriority({ tx, actor: desk.sam }, id, "high"));
    await correct("kim", id, { base: { currency: "USD" } }, seen);
    expect((await rowOf(id)).parameters.base.currency).toBe("USD");
    // Without an event that was seen, the very version is asked for.
    const { version } = await rowOf(id);
    await expect(
      correct("kim", id, { base: { locale: "fr" } }, { version: version - 1, eventId: 0 }),
    ).rejects.toThrow(MovedOnError);
    await correct("kim", id, { base: { locale: "fr" } }, { version, eventId: 0 });
  });

  it("of several at once: exactly one wins", async () => {
    const id = await claimed();
    const { seen } = await view(id);
    const wishes = ["USD", "GBP", "CHF", "JPY", "SEK"];
    const ends = await Promise.allSettled(
      wishes.map((currency, index) =>
        correct(index % 2 ? "sam" : "kim", id, { base: { currency } }, seen),
      ),
    );
    const won = wishes.filter((_, index) => ends[index]?.status === "fulfilled");
    expect(won).toHaveLength(1);
    for (const end of ends) {
      if (end.status === "rejected") expect(end.reason).toBeInstanceOf(MovedOnError);
    }
    expect((await rowOf(id)).parameters.base.currency).toBe(won[0]);
    expect((await tracesOf(id)).events).toHaveLength(1);
  });
});

describe("it is too late to correct", () => {
  it.each(["credentials_received", "migrating"])(
    "while a run has the answers: %s",
    async (status) => {
      const id = await claimed();
      await desk.plant(id, { status });
      const refused = await fresh("kim", id, { base: { currency: "USD" } }).catch((error) => error);
      expect(refused).toBeInstanceOf(SettingsClosedError);
      expect(refused.message).toMatch(/A run is building/);
      expect(refused.fix).toMatch(/cancel it.*retry/);
    },
  );

  it("once the backend is ready, or the request is cancelled", async () => {
    const id = await claimed();
    await desk.plant(id, { status: "completed", ended_at: new Date() });
    const refused = await fresh("kim", id, { base: { currency: "USD" } }).catch((error) => error);
    expect(refused).toBeInstanceOf(SettingsClosedError);
    expect(refused.fix).toBe("Change them in the product's own settings.");
    const other = await claimed();
    await desk.as(desk.kim, (tx) => cancelRequest({ tx, actor: desk.kim }, other));
    await expect(fresh("kim", other, { base: { currency: "USD" } })).rejects.toThrow(
      WrongStateError,
    );
  });
});
