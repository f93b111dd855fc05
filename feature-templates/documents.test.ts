import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Actor, act, anon, type People, service } from "./acting.ts";
import { joinProjectServer, type Share } from "./shared-server.ts";

let server: Share;
let client: pg.Client;
let people: People;
beforeAll(async () => {
  server = await joinProjectServer();
  ({ client, people } = await server.createCompany(["base"]));
  // A document as a template has it: its number comes with its row, in one transaction.
  await client.query(`
    create table public.papers (location_id uuid, kind text, number bigint);
    create function private.write_paper(p_location_id uuid, p_kind text) returns bigint
    language sql security definer set search_path = '' as $$
      insert into public.papers values (
        p_location_id, p_kind, private.next_document_number(p_location_id, p_kind)
      ) returning number;
    $$;
    grant execute on function private.write_paper(uuid, text) to authenticated;
  `);
});
afterAll(() => server?.stop());

const denied = { code: "42501" };
const write = "select private.write_paper($1, $2) as number";

async function openLocation(): Promise<string> {
  const { rows } = await client.query(
    "insert into public.locations (code, name) values ($1, 'Shop') returning id",
    [randomUUID().slice(0, 18).toUpperCase()],
  );
  return rows[0].id;
}

describe("the numbers of documents", () => {
  it("count from one, for each location and each kind", async () => {
    const [here, there] = [await openLocation(), await openLocation()];
    const numbers: string[] = [];
    for (const [location, kind] of [
      [here, "order"],
      [here, "order"],
      [here, "transfer"],
      [there, "order"],
      [here, "order"],
    ]) {
      const { rows } = await act(client, people.staff, write, [location, kind]);
      numbers.push(rows[0]?.number as string);
    }
    expect(numbers).toEqual(["1", "2", "1", "1", "3"]);
  });

  it("have no gap and no double after hundreds of calls at once, of which many roll back", async () => {
    const locations = [await openLocation(), await openLocation()];
    const kinds = ["order", "count"];
    const sessions = await Promise.all(
      Array.from({ length: 10 }, () => server.connectBeside(client)),
    );
    let rolledBack = 0;
    let calls = 0;
    await Promise.all(
      sessions.map(async (session) => {
        for (let turn = 0; turn < 40; turn += 1) {
          const given = [
            locations[Math.floor(Math.random() * 2)],
            kinds[Math.floor(Math.random() * 2)],
          ];
          const fate = Math.random();
          await session.query("begin");
          calls += 1;
          if (fate < 0.2) {
            // Lost to a savepoint alone: the transaction goes on and asks again.
            await session.query("savepoint attempt");
            await session.query(write, given);
            await session.query("rollback to attempt");
          }
          await session.query(write, given);
          if (fate > 0.6) await session.query("select pg_sleep(random() * 0.005)");
          if (fate > 0.7) rolledBack += 1;
          await session.query(fate > 0.7 ? "rollback" : "commit");
        }
      }),
    );
    expect(calls).toBe(400);
    expect(rolledBack).toBeGreaterThan(20);

    const { rows } = await client.query(
      `select p.location_id, p.kind, count(*)::int as written, count(distinct p.number)::int as numbers,
         min(p.number)::int as first, max(p.number)::int as last, c.last_number::int as counter
       from public.papers p join public.document_counters c using (location_id, kind)
       where p.location_id = any ($1) group by 1, 2, c.last_number`,
      [locations],
    );
    expect(rows).toHaveLength(4);
    for (const { written, numbers, first, last, counter } of rows) {
      expect([numbers, first, last, counter]).toEqual([written, 1, written, written]);
    }
    expect(rows.reduce((sum, { written }) => sum + written, 0)).toBe(calls - rolledBack);
  });

  it("are given by functions of the database alone", async () => {
    const location = await openLocation();
    const everyone: Actor[] = [...Object.values(people), anon, service];
    for (const who of everyone) {
      for (const [sql, values] of [
        ["select private.next_document_number($1, 'order')", [location]],
        [
          "insert into public.document_counters (location_id, kind, last_number) values ($1, 'x', 9)",
          [location],
        ],
        ["update public.document_counters set last_number = 9", []],
        ["delete from public.document_counters", []],
      ] as const) {
        await expect(act(client, who, sql, [...values]), sql).rejects.toMatchObject(denied);
      }
    }
  });

  it("can be read by the company, and by nobody else", async () => {
    await client.query(write, [await openLocation(), "order"]);
    const { rowCount: all } = await client.query("select from public.document_counters");
    const seen = async (who: Actor) =>
      (await act(client, who, "select from public.document_counters")).rowCount;
    const { stranger, ...members } = people;
    for (const who of [...Object.values(members), service]) expect(await seen(who)).toBe(all);
    expect(await seen(stranger)).toBe(0);
    await expect(seen(anon)).rejects.toMatchObject(denied);
  });

  it("are refused for a kind that is no word, and for a place that is none", async () => {
    const location = await openLocation();
    for (const kind of ["Order", "", "a b", "1st", "x".repeat(41)]) {
      const asking = client.query(write, [location, kind]);
      await expect(asking, kind).rejects.toMatchObject({ code: "23514" });
    }
    await expect(client.query(write, [location, null])).rejects.toMatchObject({ code: "23502" });
    await expect(client.query(write, [null, "order"])).rejects.toMatchObject({ code: "23502" });
    const nowhere = client.query(write, [randomUUID(), "order"]);
    await expect(nowhere).rejects.toMatchObject({ code: "23503" });
    expect((await act(client, people.staff, write, [location, "order"])).rows).toEqual([
      { number: "1" },
    ]);
  });

  it("keep their location from being deleted", async () => {
    const location = await openLocation();
    await client.query(write, [location, "order"]);
    const remove = "delete from public.locations where id = $1";
    await expect(act(client, people.manager, remove, [location])).rejects.toMatchObject({
      code: expect.stringMatching(/^(23001|23503)$/),
    });
    expect((await act(client, people.manager, remove, [await openLocation()])).rowCount).toBe(1);
  });
});
