import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestShop, type TestShop } from "./test-shop.ts";

let shop: TestShop;
let one: Awaited<ReturnType<TestShop["person"]>>;

beforeAll(async () => {
  shop = await openTestShop();
  one = await shop.person("one@example.com");
});
afterAll(() => shop?.box.remove());

test("a value, a row, rows, values and nothing", async () => {
  const rpc = async (name: string, args?: object) => (await one.client.rpc(name, args)).data;
  expect(await rpc("add", { a: 1.5 })).toBe(2.5);
  expect(await rpc("add", { b: 3, a: 2 })).toBe(5);
  expect(await rpc("add", { a: null })).toBeNull();
  expect(await rpc("new_note", { text: "by rpc" })).toMatchObject({
    owner: one.id,
    text: "by rpc",
  });
  expect(await rpc("my_notes")).toMatchObject([{ text: "by rpc" }]);
  expect(await rpc("my_notes", { minimum: 1 })).toEqual([]);
  expect(await rpc("pairs")).toHaveLength(3);
  expect(await rpc("words", { list: ["a", "b c"] })).toEqual(["a", "b c"]);
  expect(await one.client.rpc("nothing")).toMatchObject({ status: 204, data: null, error: null });
});

test("what a function returns is filtered, ordered and paged as a table is", async () => {
  const found = await one.client.rpc("pairs").select("two").eq("one", 2).single();
  expect(found).toMatchObject({ status: 200, data: { two: "b" } });
  const page = await one.client
    .rpc("pairs", {}, { count: "exact" })
    .select("one")
    .order("one", { ascending: false })
    .range(0, 1);
  expect(page).toMatchObject({ status: 206, count: 3, data: [{ one: 3 }, { one: 2 }] });
  expect(await one.client.rpc("add", { a: 1 }).eq("one", 2)).toMatchObject({
    status: 400,
    error: { code: "PGRST100" },
  });
});

test("by GET a function reads only", async () => {
  const get = { get: true };
  expect((await one.client.rpc("add", { a: 2, b: 3 }, get)).data).toBe(5);
  expect((await one.client.rpc("words", { list: ["a", "b"] }, get)).data).toEqual(["a", "b"]);
  expect((await one.client.rpc("pairs", {}, get).select("two").eq("one", 1)).data).toEqual([
    { two: "a" },
  ]);
  for (const refused of [
    await one.client.rpc("new_note", { text: "x" }, get),
    await one.client.rpc("sly_note"),
  ]) {
    expect(refused).toMatchObject({ status: 405, error: { code: "25006" } });
  }
});

test("it knows who calls, how and for how long", async () => {
  const who = async (client: TestShop["anon"]) => (await client.rpc("who")).data;
  const common = { method: "POST", path: "/rpc/who", search_path: '"public", "extensions"' };
  expect(await who(one.client)).toEqual({
    ...common,
    user: "authenticated",
    role: "authenticated",
    uid: one.id,
    timeout: "8s",
  });
  expect(await who(shop.anon)).toEqual({
    ...common,
    user: "anon",
    role: "anon",
    uid: null,
    timeout: "3s",
  });
  expect(await who(shop.service)).toMatchObject({ user: "service_role", role: "service_role" });
  const keyAlone = await shop.call("GET", "/rpc/who", {
    headers: { apikey: `${shop.project.serviceRoleKey}` },
  });
  expect(keyAlone.json).toMatchObject({ user: "anon", method: "GET" });
});

test("the arguments' names choose the function", async () => {
  expect((await shop.anon.rpc("twice", { a: 4 })).data).toBe(8);
  expect((await shop.anon.rpc("twice", { b: "x" })).data).toBe("xx");
  expect(await shop.anon.rpc("same", { a: 1 })).toMatchObject({
    status: 300,
    error: { code: "PGRST203" },
  });
  for (const [name, args, called, searched] of [
    ["none", {}, " without parameters", " without parameters"],
    ["add", {}, " without parameters", " without parameters"],
    ["add", { c: 2, a: 1 }, "(a, c)", " with parameters a, c"],
    ["add(1,2);--", {}, " without parameters", " without parameters"],
    ["pg_sleep", { a: 1 }, "(a)", " with parameter a"],
  ] as const) {
    for (const [get, nameless] of [
      [false, " or with a single unnamed json/jsonb parameter"],
      [true, ""],
    ] as const) {
      expect(await shop.anon.rpc(name, args, { get })).toMatchObject({
        status: 404,
        error: {
          code: "PGRST202",
          message: `Could not find the function public.${name}${called} in the schema cache`,
          details: `Searched for the function public.${name}${searched}${nameless}, but no matches were found in the schema cache.`,
        },
      });
    }
  }
});

test("its errors come with PostgREST's statuses", async () => {
  for (const [code, status] of [
    ["P0001", 400],
    ["23514", 400],
    ["23503", 409],
    ["23505", 409],
    ["22003", 400],
    ["21000", 500],
    ["42501", 403],
    ["57014", 500],
    ["PT402", 402],
    ["PT999", 500],
    ["40001", 500],
  ] as const) {
    expect(await one.client.rpc("fail", { code, message: "no" })).toMatchObject({
      status,
      error: { code, message: "no", details: "why", hint: "how" },
    });
  }
  expect(await one.client.rpc("hidden")).toMatchObject({ status: 403, error: { code: "42501" } });
  expect(await shop.anon.rpc("hidden")).toMatchObject({ status: 401, error: { code: "42501" } });
  expect(await shop.anon.rpc("add", { a: "x" })).toMatchObject({
    status: 400,
    error: { code: "22P02" },
  });
});

test("the role's own limit ends a statement", async () => {
  expect(await shop.anon.rpc("sleep", { seconds: 60 })).toMatchObject({
    status: 500,
    error: { code: "57014", message: "canceling statement due to statement timeout" },
  });
});
