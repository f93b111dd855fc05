import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Actor, act, anon, createPeople, type People } from "./acting.ts";
import { applyTemplates, grantModes, type ProjectServer } from "./fresh-database.ts";
import { joinProjectServer } from "./shared-server.ts";

let server: ProjectServer;
beforeAll(async () => {
  server = await joinProjectServer();
});
afterAll(() => server?.stop());

const denied = { code: "42501" };

describe.each(grantModes)("files in a project with the grants of %s", (mode) => {
  let client: pg.Client;
  let people: People;
  let location: string;
  beforeAll(async () => {
    client = await server.createDatabase(mode);
    await client.query(
      `insert into storage.buckets (id, name) values ('files', 'files'), ('other', 'other')
       on conflict do nothing`,
    );
    await applyTemplates(client, ["base"]);
    people = await createPeople(client, await server.connectAsAuth(client));
    location = (await client.query("select id from public.locations")).rows[0].id;
    // Storage's API sets it for its own deletions; the policies decide all the same.
    await client.query("set storage.allow_delete_query = 'true'");
  });

  /** As Storage's API adds a file: with the caller's rights, and the caller as its owner. */
  const upload = async (who: Actor, name: string, { bucket = "files", owner = who.id } = {}) => {
    const sql = "insert into storage.objects (bucket_id, name, owner_id) values ($1, $2, $3)";
    await act(client, who, sql, [bucket, name, owner ?? null]);
    return name;
  };
  const paper = () => `company/${randomUUID()}.pdf`;

  it("are added by staff and above, to a location or to the company", async () => {
    for (const who of [people.owner, people.manager, people.staff]) {
      await upload(who, paper());
      await upload(who, `${location}/deliveries/2026/${randomUUID()}.jpg`);
    }
    for (const who of [people.viewer, people.stranger, anon]) {
      await expect(upload(who, paper())).rejects.toMatchObject(denied);
      await expect(upload(who, `${location}/x.jpg`)).rejects.toMatchObject(denied);
    }
  });

  it("lie under a known place, by a plain path, in this bucket, in one's own name", async () => {
    const { owner, staff, manager } = people;
    for (const name of [
      "loose.pdf",
      "company",
      "company/",
      "/company/x.pdf",
      "company//x.pdf",
      "company/../secrets/x.pdf",
      "company/./x.pdf",
      "company/x/..",
      "companyx/x.pdf",
      "elsewhere/x.pdf",
      `${randomUUID()}/x.pdf`,
      `${location.toUpperCase()}/x.pdf`,
      "",
    ]) {
      await expect(upload(staff, name), name).rejects.toMatchObject(denied);
      await expect(upload(owner, name), name).rejects.toMatchObject(denied);
    }
    await expect(upload(owner, paper(), { bucket: "other" })).rejects.toMatchObject(denied);
    await expect(upload(manager, paper(), { owner: staff.id })).rejects.toMatchObject(denied);
    await upload(staff, "company/.../..hidden/a..b");
  });

  it("are seen by every member, and by nobody else", async () => {
    const name = await upload(people.staff, paper());
    const see = async (who: Actor) =>
      (await act(client, who, "select from storage.objects where name = $1", [name])).rowCount;
    const { stranger, ...members } = people;
    for (const who of Object.values(members)) expect(await see(who)).toBe(1);
    for (const who of [stranger, anon]) expect(await see(who)).toBe(0);
    const foreign = randomUUID();
    await client.query("insert into storage.objects (bucket_id, name) values ('other', $1)", [
      foreign,
    ]);
    const sql = "select from storage.objects where name = $1";
    expect((await act(client, people.owner, sql, [foreign])).rowCount).toBe(0);
  });

  it.each([
    ["changed", "update storage.objects set metadata = '{\"size\": 1}' where name = $1"],
    ["moved", "update storage.objects set name = 'company/' || gen_random_uuid() where name = $1"],
    ["deleted", "delete from storage.objects where name = $1"],
  ])("are %s by who added them, and by managers", async (_, sql) => {
    const { owner, manager, staff, viewer, stranger } = people;
    const attempt = async (who: Actor, addedBy: Actor) =>
      (await act(client, who, sql, [await upload(addedBy, paper())])).rowCount;
    expect(await attempt(staff, staff)).toBe(1);
    expect(await attempt(manager, staff)).toBe(1);
    expect(await attempt(owner, manager)).toBe(1);
    for (const who of [viewer, stranger, anon]) expect(await attempt(who, staff)).toBe(0);
    expect(await attempt(staff, manager)).toBe(0);
  });

  it("are no longer changed by who added them and is staff no more", async () => {
    const { owner, staff } = people;
    const name = await upload(staff, paper());
    const set = "update public.members set role = $2 where user_id = $1";
    await act(client, owner, set, [staff.id, "viewer"]);
    for (const sql of [
      "update storage.objects set metadata = '{}' where name = $1",
      "delete from storage.objects where name = $1",
    ]) {
      expect((await act(client, staff, sql, [name])).rowCount).toBe(0);
    }
    await act(client, owner, set, [staff.id, "staff"]);
  });

  it("are not moved out of reach, out of the bucket, or into another's name", async () => {
    const { manager, staff } = people;
    const name = await upload(staff, paper());
    for (const change of ["name = 'loose.pdf'", "name = 'company/../x'", "bucket_id = 'other'"]) {
      const sql = `update storage.objects set ${change} where name = $1`;
      await expect(act(client, staff, sql, [name]), change).rejects.toMatchObject(denied);
      await expect(act(client, manager, sql, [name]), change).rejects.toMatchObject(denied);
    }
    const give = "update storage.objects set owner_id = $2 where name = $1";
    await expect(act(client, staff, give, [name, manager.id])).rejects.toMatchObject(denied);
  });

  it("are not overwritten by another member of staff who adds one of the same name", async () => {
    const name = await upload(people.manager, paper());
    const overwrite = `insert into storage.objects (bucket_id, name, owner_id)
      values ('files', $1, $2)
      on conflict (bucket_id, name) do update set owner_id = excluded.owner_id`;
    const attempt = act(client, people.staff, overwrite, [name, people.staff.id]);
    await expect(attempt).rejects.toMatchObject(denied);
  });
});
