/** What the helper functions of the policies cost: one look-up per query, however many the rows. */
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Actor, People } from "./acting.ts";
import { joinProjectServer, type Share } from "./shared-server.ts";

let server: Share;
let client: pg.Client;
let people: People;
beforeAll(async () => {
  server = await joinProjectServer();
  ({ client, people } = await server.createCompany(["base"]));
  const auth = await server.connectAsAuth(client);
  await auth.query(`
    insert into auth.users (id, email)
    select gen_random_uuid(), 'member-' || n || '@example.test' from generate_series(1, 1000) n`);
  await client.query(`
    insert into storage.buckets (id, name) values ('files', 'files') on conflict do nothing;
    insert into storage.objects (bucket_id, name)
    select 'files', 'company/' || n from generate_series(1, 1000) n;
    insert into public.locations (code, name) select 'L' || n, 'x' from generate_series(1, 1000) n;
    insert into public.members (user_id, role)
    select p.id, 'viewer' from public.profiles p where p.email like 'member-%';
    insert into public.invitations (email)
    select 'guest-' || n || '@example.test' from generate_series(1, 1000) n;
    select private.next_document_number(l.id, 'order') from public.locations l;
    create table public.careless (id int primary key);
    alter table public.careless enable row level security;
    insert into public.careless select generate_series(1, 1000);
    grant select on public.careless to authenticated;
    create policy careless_select on public.careless for select to authenticated
      using (private.has_role('viewer'));
  `);
});
afterAll(() => server?.stop());

interface Node {
  "Node Type": string;
  "Parent Relationship"?: string;
  "Actual Rows": number;
  "Actual Loops": number;
  Output?: string[];
  Plans?: Node[];
  [detail: string]: unknown;
}

/** How a query ran with an actor's rights: its rows, and where has_role() was called. */
async function explain(who: Actor, query: string) {
  await client.query("begin");
  await client.query(`set local role ${who.role}`);
  await client.query("select set_config('request.jwt.claims', $1, true)", [
    JSON.stringify({ role: who.role, sub: who.id }),
  ]);
  const { rows } = await client.query(`explain (analyze, verbose, format json) ${query}`);
  await client.query("rollback");

  const root = rows[0]["QUERY PLAN"][0].Plan as Node;
  /** How often each look-up ran that is made for the query as a whole. */
  const found = { rows: root["Actual Rows"], lookUps: [] as number[], perRow: 0 };
  const visit = ({ Plans = [], ...node }: Node) => {
    if (JSON.stringify(node).includes("has_role(")) {
      if (node["Parent Relationship"] === "InitPlan") found.lookUps.push(node["Actual Loops"]);
      else found.perRow += 1;
    }
    for (const child of Plans) visit(child);
  };
  visit(root);
  return found;
}

describe("a query over a thousand rows", () => {
  it.each([
    ["public.locations", 1],
    ["public.document_counters", 1],
    ["public.members", 1],
    ["public.invitations", 1],
    ["public.activity_log", 1],
    ["storage.objects", 1],
    // Its policy asks for two roles, and for the members whom the reader sees.
    ["public.profiles", 3],
  ])(
    "of %s looks the reader's role up no more often than its policies name it",
    async (table, named) => {
      for (const who of [people.owner, people.manager]) {
        const { rows, lookUps, perRow } = await explain(who, `select * from ${table}`);
        expect(rows).toBeGreaterThanOrEqual(1000);
        expect(Math.max(...lookUps)).toBe(1);
        expect(lookUps.length).toBeLessThanOrEqual(named);
        expect(perRow).toBe(0);
      }
    },
  );

  it("that changes them all makes each look-up once", async () => {
    for (const query of [
      "update public.locations set name = 'y'",
      "update public.members set active = true where role < 'manager'",
      "update public.invitations set revoked_at = now()",
      "update storage.objects set metadata = '{}' where bucket_id = 'files'",
    ]) {
      const { lookUps, perRow } = await explain(people.manager, query);
      expect([query, perRow]).toEqual([query, 0]);
      expect([query, Math.max(...lookUps)]).toEqual([query, 1]);
    }
  });

  it("would be seen to call it for each row, if a policy did", async () => {
    const found = await explain(people.owner, "select * from public.careless");
    expect(found).toEqual({ rows: 1000, lookUps: [], perRow: 1 });
  });
});
