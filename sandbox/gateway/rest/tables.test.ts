import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openTestShop, type TestShop } from "./test-shop.ts";

let shop: TestShop;
let one: Awaited<ReturnType<TestShop["person"]>>;
let two: Awaited<ReturnType<TestShop["person"]>>;

beforeAll(async () => {
  shop = await openTestShop();
  one = await shop.person("one@example.com");
  two = await shop.person("two@example.com");
});
afterAll(() => shop?.box.remove());

/** The answer of supabase-js, which must not be an error. */
async function good<T>(asked: PromiseLike<{ data: T; error: unknown; status: number }>) {
  const { data, error, status } = await asked;
  expect(error).toBeNull();
  return { data, status };
}

describe("a person's own rows, with supabase-js", () => {
  beforeEach(async () => {
    await good(shop.service.from("notes").delete().eq("owner", one.id));
    await good(shop.service.from("notes").delete().eq("owner", two.id));
  });

  test("are written, read, changed and removed", async () => {
    const made = await good(one.client.from("notes").insert({ text: "first", stars: 2 }).select());
    expect(made).toEqual({
      status: 201,
      data: [{ id: expect.any(Number), owner: one.id, text: "first", stars: 2, tag: null }],
    });
    const silent = await one.client.from("notes").insert({ text: "second" });
    expect(silent).toMatchObject({ status: 201, data: null, error: null });

    const all = await good(one.client.from("notes").select("text,stars").order("text"));
    expect(all.data).toEqual([
      { text: "first", stars: 2 },
      { text: "second", stars: 0 },
    ]);
    const found = await good(one.client.from("notes").select().eq("text", "first").eq("stars", 2));
    expect(found.data).toHaveLength(1);

    const changed = await good(
      one.client.from("notes").update({ stars: 5 }).eq("text", "first").select("stars").single(),
    );
    expect(changed).toEqual({ status: 200, data: { stars: 5 } });
    const unseen = await one.client.from("notes").update({ stars: 6 }).eq("text", "second");
    expect(unseen).toMatchObject({ status: 204, data: null, error: null });

    expect((await one.client.from("notes").delete().eq("text", "first")).status).toBe(204);
    const gone = await good(one.client.from("notes").delete().eq("text", "second").select("text"));
    expect(gone).toEqual({ status: 200, data: [{ text: "second" }] });
    expect((await good(one.client.from("notes").select())).data).toEqual([]);
  });

  test("are nobody else's", async () => {
    const { data } = await good(one.client.from("notes").insert({ text: "mine" }).select());
    const id = data?.[0]?.id;
    expect((await good(two.client.from("notes").select())).data).toEqual([]);
    const taken = await good(two.client.from("notes").update({ stars: 1 }).eq("id", id).select());
    expect(taken.data).toEqual([]);
    expect((await good(two.client.from("notes").delete().eq("id", id).select())).data).toEqual([]);
    const forged = await two.client.from("notes").insert({ text: "x", owner: one.id });
    expect(forged).toMatchObject({ status: 403, error: { code: "42501" } });
    const given = await one.client.from("notes").update({ owner: two.id }).eq("id", id);
    expect(given).toMatchObject({ status: 403, error: { code: "42501" } });
    expect((await good(shop.service.from("notes").select("stars").eq("id", id))).data).toEqual([
      { stars: 0 },
    ]);
  });

  test("anon sees no row, no further column, and writes nothing", async () => {
    await good(one.client.from("notes").insert({ text: "mine" }));
    expect((await good(shop.anon.from("notes").select("id"))).data).toEqual([]);
    for (const refused of [
      await shop.anon.from("notes").select(),
      await shop.anon.from("notes").select("text"),
      await shop.anon.from("notes").insert({ text: "x" }),
      await shop.anon.from("notes").update({ text: "x" }).eq("id", 1),
      await shop.anon.from("notes").delete().eq("id", 1),
      await shop.anon.from("closed").select(),
    ]) {
      expect(refused).toMatchObject({ status: 401, data: null, error: { code: "42501" } });
    }
    expect(await one.client.from("closed").select()).toMatchObject({
      status: 403,
      error: { code: "42501", message: "permission denied for table closed" },
    });
  });

  test("many are written at once, all or none", async () => {
    const rows = [
      { text: "a", stars: 1 },
      { text: "b", stars: 2 },
    ];
    const made = await good(one.client.from("notes").insert(rows).select("text"));
    expect(made.data).toEqual([{ text: "a" }, { text: "b" }]);
    const failed = await one.client.from("notes").insert([{ text: "c" }, { text: "" }]);
    expect(failed).toMatchObject({ status: 400, error: { code: "23514" } });
    const { data } = await good(one.client.from("notes").select("text").order("text"));
    expect(data).toEqual([{ text: "a" }, { text: "b" }]);
    // supabase-js names the columns of all the rows; what one row lacks is null there.
    const partial = await one.client.from("notes").insert([{ text: "d", tag: "t" }, { text: "e" }]);
    expect(partial.error).toBeNull();
  });

  test("pages, order and count", async () => {
    const rows = [3, 1, 2].map((stars) => ({ text: `n${stars}`, stars }));
    await good(one.client.from("notes").insert(rows));
    const notes = () => one.client.from("notes");
    const page = await notes()
      .select("stars", { count: "exact" })
      .order("stars", { ascending: false })
      .range(1, 1);
    expect(page).toMatchObject({ status: 206, count: 3, data: [{ stars: 2 }] });
    const all = await notes().select("stars", { count: "exact" }).order("tag").order("stars");
    expect(all).toMatchObject({ status: 200, count: 3 });
    expect(all.data?.map(({ stars }) => stars)).toEqual([1, 2, 3]);
    expect(await notes().select("*", { count: "exact", head: true })).toMatchObject({
      data: null,
      count: 3,
    });
    const behind = await notes().select("stars", { count: "exact" }).range(3, 4);
    expect(behind).toMatchObject({ status: 206, count: 3, data: [] });
    const beyond = await notes().select("stars", { count: "exact" }).range(9, 10);
    expect(beyond).toMatchObject({ status: 416, error: { code: "PGRST103" } });
    expect(await notes().delete({ count: "exact" }).eq("stars", 1)).toMatchObject({ count: 1 });
  });

  test("one row as an object, or a refusal that keeps nothing", async () => {
    const notes = () => one.client.from("notes");
    const made = await good(notes().insert({ text: "single" }).select("text").single());
    expect(made.data).toEqual({ text: "single" });
    await good(notes().insert({ text: "double" }));
    const many = await notes().update({ stars: 9 }).eq("owner", one.id).select().single();
    expect(many).toMatchObject({
      status: 406,
      error: { code: "PGRST116", details: "The result contains 2 rows" },
    });
    expect((await good(notes().select().eq("stars", 9))).data).toEqual([]);
    expect(await notes().select().eq("text", "none").single()).toMatchObject({
      status: 406,
      error: { code: "PGRST116", details: "The result contains 0 rows" },
    });
    expect((await notes().select().eq("text", "none").maybeSingle()).data).toBeNull();
  });

  test("upserts merge or ignore what is there", async () => {
    const notes = () => one.client.from("notes");
    const put = (stars: number, o: { ignoreDuplicates?: boolean } = {}) =>
      notes().upsert({ text: "t", tag: "only", stars }, { onConflict: "tag", ...o });
    expect((await put(1)).error).toBeNull();
    expect((await put(2)).error).toBeNull();
    expect((await put(3, { ignoreDuplicates: true })).error).toBeNull();
    expect((await good(notes().select("stars").eq("tag", "only"))).data).toEqual([{ stars: 2 }]);
    const twice = await notes().insert({ text: "t", tag: "only" });
    expect(twice).toMatchObject({ status: 409, error: { code: "23505" } });
    const both = [1, 2].map((stars) => ({ text: "t", tag: "only", stars }));
    expect(await notes().upsert(both, { onConflict: "tag" })).toMatchObject({
      status: 500,
      error: { code: "21000" },
    });
  });
});

describe("values go there and back", () => {
  const row = {
    id: 1,
    'odd "name': "a, \"b\" (c) 'd' ; drop",
    big: 9_007_199_254_740_991,
    exact: 12.5,
    float: 0.1,
    yes: false,
    doc: { a: [1, null, "x"], b: { c: true } },
    raw: ["as", { it: "is" }],
    list: [1, 2, 3],
    names: ["a,b", 'c"d', "{e}"],
    uid: "11111111-2222-4333-8444-555555555555",
    at: "2026-11-22T10:20:30.123456+00:00",
    day: "2026-11-22",
    how: "good",
    bytes: "\\x00ff",
  };

  test("of each type", async () => {
    const kinds = () => shop.service.from("kinds");
    const made = await good(kinds().insert(row).select().single());
    expect(made.data).toEqual(row);
    for (const [column, value] of Object.entries(row)) {
      if (["raw", "doc", "list", "names"].includes(column)) continue;
      const name = /\W/.test(column) ? `"${column.replaceAll('"', '\\"')}"` : column;
      const { data } = await good(kinds().select("id").eq(name, `${value}`));
      expect(data, column).toEqual([{ id: 1 }]);
    }
    expect((await good(kinds().select("id").eq("names", '{"a,b","c\\"d","{e}"}'))).data).toEqual([
      { id: 1 },
    ]);
    expect((await good(kinds().select("id").eq("doc", JSON.stringify(row.doc)))).data).toEqual([
      { id: 1 },
    ]);
    const empty = Object.fromEntries(Object.keys(row).map((name) => [name, null]));
    const { data } = await good(
      kinds()
        .update({ ...empty, id: 1 })
        .eq("id", 1)
        .select()
        .single(),
    );
    expect(data).toEqual({ ...empty, id: 1 });
  });

  test("under names that stand in SQL, too", async () => {
    const given = () => shop.service.from("given");
    const made = { id: 1, rows: [{ a: 1 }], source: "s", page: 2, pgrst_rows: 3 };
    expect((await good(given().insert(made).select().single())).data).toEqual(made);
    const changed = { ...made, rows: null, source: "t" };
    expect((await good(given().update(changed).eq("source", "s").select())).data).toEqual([
      changed,
    ]);
    expect((await good(given().select().eq("page", 2))).data).toEqual([changed]);
    expect((await good(shop.service.rpc("all_given").eq("source", "t"))).data).toEqual([changed]);
    expect((await good(given().delete().eq("id", 1).select())).data).toEqual([changed]);
  });

  test("without loss of digits", async () => {
    const made = await shop.call("POST", "/kinds?select=big,exact", {
      headers: { prefer: "return=representation" },
      body: '{"id": 2, "big": 9223372036854775807, "exact": 123456789012345678901234567890.123456789}',
    });
    expect(made.text).toBe(
      '[{"big":9223372036854775807,"exact":123456789012345678901234567890.123456789}]',
    );
  });

  test("a new row's address is told", async () => {
    const wish = { headers: { prefer: "return=headers-only" } };
    const made = await shop.call("POST", "/kinds", { ...wish, body: { id: 3 } });
    expect(made.status).toBe(201);
    expect(made.headers.get("location")).toBe("/kinds?id=eq.3");
    const part = await shop.call("POST", "/parts", { ...wish, body: { kind: 3, place: 4 } });
    expect(part.headers.get("location")).toBe("/parts?kind=eq.3&place=eq.4");
  });

  test("no values at all: defaults, no rows, no change", async () => {
    const token = { authorization: `Bearer ${one.token}`, prefer: "return=representation" };
    const none = await shop.call("POST", "/notes", { headers: token, body: [] });
    expect(none).toMatchObject({ status: 201, json: [] });
    const lacking = await shop.call("POST", "/notes", { headers: token, body: {} });
    expect(lacking).toMatchObject({ status: 400, json: { code: "23502" } });
    const unchanged = await shop.call("PATCH", "/kinds?id=eq.3", {
      headers: { prefer: "return=representation" },
      body: {},
    });
    expect(unchanged).toMatchObject({ status: 200, json: [] });
  });

  test("columns= chooses what of the body counts", async () => {
    const made = await shop.call("POST", '/kinds?columns="id",names&select=id,names,big', {
      headers: { prefer: "return=representation" },
      body: [
        { id: 4, big: 1, strange: true },
        { id: 5, names: [] },
      ],
    });
    expect(made.json).toEqual([
      { id: 4, names: null, big: null },
      { id: 5, names: [], big: null },
    ]);
  });
});
