import { readFile } from "node:fs/promises";
import path from "node:path";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestShop, type TestShop } from "./test-shop.ts";

let shop: TestShop;
let token: string;

beforeAll(async () => {
  shop = await openTestShop();
  ({ token } = await shop.person("one@example.com"));
});
afterAll(() => shop?.box.remove());

const refusal = (status: number, code: string, message: RegExp) => ({
  status,
  json: {
    code,
    message: expect.stringMatching(message),
    details: expect.toSatisfy((value) => value === null || typeof value === "string"),
    hint: expect.toSatisfy((value) => value === null || typeof value === "string"),
  },
});

describe("what this stand-in does not have is named", () => {
  test.each([
    ["/notes?stars=gt.1", /without the filter "gt"/],
    ["/notes?text=like.*a*", /without the filter "like"/],
    ["/notes?text=is.null", /without the filter "is"/],
    ["/notes?id=in.(1,2)", /without the filter "in"/],
    ["/notes?id=not.eq.1", /without the filter "not"/],
    ["/notes?id=eq(any).{1}", /without the filter "eq\(any\)"/],
    ["/notes?or=(id.eq.1,id.eq.2)", /without the parameter "or"/],
    ["/notes?not.and=(id.eq.1)", /without the parameter "not.and"/],
    ["/notes?select=id,owner(name)", /without the embedding of other tables/],
    ["/notes?select=count()", /without the embedding of other tables and aggregates/],
    ["/notes?select=id,*", /without `\*` beside columns/],
    ["/notes?select=number:id", /without embedded columns, JSON paths, casts and aliases/],
    ["/notes?select=id::text", /casts/],
    ["/kinds?select=doc->a", /JSON paths/],
    ["/kinds?doc->>a=eq.1", /JSON paths/],
    ["/notes?owners.id=eq.1", /embedded columns/],
  ])("%s", async (path, message) => {
    expect(await shop.call("GET", path)).toMatchObject(refusal(400, "PGRST100", message));
  });

  test.each<[string, string, Record<string, string>, RegExp]>([
    ["GET", "/notes", { range: "0-1" }, /the header Range/],
    ["GET", "/notes", { prefer: "count=planned" }, /Prefer: count=planned/],
    ["POST", "/notes", { prefer: "missing=default" }, /Prefer: missing=default/],
    ["PATCH", "/notes?id=eq.1&limit=1", {}, /limit= and offset= with PATCH/],
    ["PUT", "/notes?id=eq.1", {}, /without PUT/],
  ])("%s %s %o", async (method, path, headers, message) => {
    const body = method === "GET" ? {} : { body: { text: "x" } };
    const answer = await shop.call(method, path, { headers, ...body });
    expect(answer).toMatchObject(refusal(400, "PGRST100", message));
  });
});

describe("what does not exist or cannot be read", () => {
  test.each([
    [
      "GET",
      "/none",
      404,
      "PGRST205",
      /^Could not find the table 'public.none' in the schema cache$/,
    ],
    ["GET", "/secrets", 404, "PGRST205", /public.secrets/],
    ["GET", "/private.secrets", 404, "PGRST205", /public.private.secrets/],
    ["GET", "/pg_class", 404, "PGRST205", /pg_class/],
    ["GET", "/notes?nothing=eq.1", 400, "42703", /^column notes.nothing does not exist$/],
    ["GET", "/notes?select=nothing", 400, "42703", /^column notes.nothing does not exist$/],
    ["GET", "/notes?order=nothing", 400, "42703", /^column notes.nothing does not exist$/],
    ["GET", "/notes?id=1", 400, "PGRST100", /failed to parse filter \(1\)/],
    ["GET", "/notes?id=equals.1", 400, "PGRST100", /failed to parse filter/],
    ["GET", "/notes?id=eq.x", 400, "22P02", /invalid input syntax for type bigint: "x"/],
    ["GET", "/notes?id=eq.99999999999999999999", 400, "22003", /out of range/],
    ["GET", "/notes?text=eq.%00", 400, "22021", /invalid byte sequence/],
    ["GET", "/notes?limit=-1", 400, "PGRST100", /limit/],
    ["GET", "/notes?limit=1;drop", 400, "PGRST100", /limit/],
    ["GET", "/notes?offset=x", 400, "PGRST100", /offset/],
    ["GET", '/notes?select=id,"text', 400, "PGRST100", /select parameter/],
    ["GET", "/notes?select=id,,text", 400, "PGRST100", /select parameter/],
    ["GET", "/notes?order=id.up", 400, "PGRST100", /"id.up"/],
    ["DELETE", "/notes", 400, "21000", /^DELETE requires a WHERE clause$/],
    ["PATCH", "/rpc/add", 405, "PGRST101", /^Cannot use the PATCH method on RPC$/],
    ["GET", "/rpc/add?a=1&c=2", 404, "PGRST202", /public.add\(a, c\)/],
  ])("%s %s", async (method, path, status, code, message) => {
    expect(await shop.call(method, path)).toMatchObject(refusal(status, code, message));
  });

  test.each([
    ["{", 400, "PGRST102", /^Empty or invalid json$/],
    ["", 400, "PGRST102", /^Empty or invalid json$/],
    ["null", 400, "PGRST102", /^Empty or invalid json$/],
    ["1", 400, "PGRST102", /^Empty or invalid json$/],
    ["[1]", 400, "PGRST102", /^Empty or invalid json$/],
    ["[[]]", 400, "PGRST102", /^Empty or invalid json$/],
    ['[{"text":"a"},{"stars":1}]', 400, "PGRST102", /^All object keys must match$/],
    ['{"none":1}', 400, "PGRST204", /^Could not find the 'none' column of 'notes'/],
    ['{"__proto__":1}', 400, "PGRST204", /__proto__/],
    ['{"text":"a\\u0000b"}', 400, "22P05", /unsupported Unicode/],
    ['{"text":"a","stars":"many"}', 400, "22P02", /integer/],
    ['{"text":"a","stars":1e30}', 400, "22P02", /integer/],
    ['{"text":"a","id":1}', 400, "428C9", /cannot insert a non-DEFAULT value/],
    ['{"text":null}', 400, "23502", /null value in column "owner"/],
  ])("POST /notes %s", async (body, status, code, message) => {
    expect(await shop.call("POST", "/notes", { body })).toMatchObject(
      refusal(status, code, message),
    );
    expect((await shop.call("GET", "/notes")).json).toEqual([]);
  });

  test("a body that is no JSON, or far too long", async () => {
    const headers = { "content-type": "text/csv" };
    expect(await shop.call("POST", "/notes", { headers, body: "a,b" })).toMatchObject(
      refusal(400, "PGRST102", /Content-Type not acceptable: text\/csv/),
    );
    const long = await shop.call("POST", "/notes", { body: `"${"x".repeat(2_000_000)}"` });
    expect(long.status).toBe(413);
    const deep = await shop.call("POST", "/notes", { body: "[".repeat(500_000) });
    expect(deep).toMatchObject(refusal(400, "PGRST102", /json/));
    const nested = `{"id":9,"doc":${"[".repeat(200_000)}${"]".repeat(200_000)}}`;
    expect((await shop.call("POST", "/kinds", { body: nested })).status).toBe(500);
    expect((await shop.call("GET", "/notes")).status).toBe(200);
  });

  test("another schema, and another form of answer", async () => {
    const profile = { "accept-profile": "private" };
    expect(await shop.call("GET", "/secrets", { headers: profile })).toMatchObject(
      refusal(406, "PGRST106", /^Invalid schema: private$/),
    );
    const content = { "content-profile": "auth" };
    expect(await shop.call("POST", "/users", { headers: content, body: {} })).toMatchObject(
      refusal(406, "PGRST106", /^Invalid schema: auth$/),
    );
    expect(await shop.call("GET", "/notes", { headers: { accept: "text/csv" } })).toMatchObject(
      refusal(406, "PGRST107", /text\/csv/),
    );
    const browser = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
    expect((await shop.call("GET", "/notes", { headers: browser })).status).toBe(200);
  });
});

test("a browser's page may send what supabase-js sends", async () => {
  const asked = await fetch(`${shop.project.url}/rest/v1/notes`, { method: "OPTIONS" });
  expect(asked.status).toBe(204);
  const allowed = asked.headers.get("access-control-allow-headers")?.split(",");
  expect(allowed).toEqual(expect.arrayContaining(["prefer", "accept-profile", "content-profile"]));
  const shown = (await shop.call("GET", "/notes")).headers.get("access-control-expose-headers");
  expect(shown).toContain("content-range");
});

describe("names and values are never spliced", () => {
  const NASTY = [
    'id"; drop table public.notes; --',
    "id'; drop table public.notes; --",
    "id) or true --",
    "id=1 or 1",
    '"id\\"; drop table public.notes; --"',
    '"id\\\\\\"; drop table public.notes; --"',
    "$1",
    "notes.*",
    "(select current_user)",
    "",
  ];

  test.each(NASTY)("%s", async (text) => {
    const sent = encodeURIComponent(text);
    for (const path of [
      `/${sent || "%20"}`,
      `/rpc/${sent || "%20"}`,
      `/notes?${sent}=eq.1`,
      `/notes?select=id,${sent}x`,
      `/notes?order=${sent || "-"}`,
      `/notes?limit=${sent}`,
      `/rpc/add?a=${sent}`,
      `/rpc/add?a=1&${sent}=1`,
      `/rpc/my_notes?${sent}=eq.1`,
    ]) {
      const { status, json } = await shop.call("GET", path);
      expect([400, 404], `${path} ${JSON.stringify(json)}`).toContain(status);
    }
    for (const path of [`/kinds?on_conflict=${sent}x`, `/kinds?columns=${sent}x`]) {
      const headers = { prefer: "resolution=merge-duplicates" };
      const { status, json } = await shop.call("POST", path, { headers, body: { id: 1 } });
      expect(status, `${path} ${JSON.stringify(json)}`).toBe(400);
    }
    for (const [method, path, body] of [
      ["POST", "/notes", { [text]: 1 }],
      ["PATCH", "/notes?id=eq.1", { [text]: 1 }],
      ["POST", "/rpc/add", { a: 1, [text]: 1 }],
    ] as const) {
      const { status, json } = await shop.call(method, path, { body });
      expect([400, 404], `${path} ${JSON.stringify(json)}`).toContain(status);
    }
    expect((await shop.call("GET", `/notes?text=eq.${sent}`)).json).toEqual([]);
  });

  test("a value that looks like SQL is a value", async () => {
    for (const text of NASTY.filter(Boolean)) {
      const headers = { authorization: `Bearer ${token}` };
      const made = await shop.call("POST", "/notes", { headers, body: { text } });
      expect(made.status).toBe(201);
      const found = await shop.call(
        "GET",
        `/notes?select=text&text=eq.${encodeURIComponent(text)}`,
      );
      expect(found.json).toEqual([{ text }]);
    }
  });
});

describe("tokens", () => {
  /** A token as the project itself would sign it, unless another secret is given. */
  async function sign(claims: Record<string, unknown>, secret?: string) {
    const file = path.join(shop.box.dataDir, "projects", `${shop.project.ref}.json`);
    const own = JSON.parse(await readFile(file, "utf8")).jwtSecret;
    return new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256" })
      .sign(new TextEncoder().encode(secret ?? own));
  }
  const as = (bearer: string) =>
    shop.call("GET", "/rpc/who", { headers: { authorization: `Bearer ${bearer}` } });

  test.each(["a.b.c", "nonsense", "sb_secret_other"])("a bad one is refused: %s", async (bad) => {
    const answer = await as(bad);
    expect(answer).toMatchObject(refusal(401, "PGRST301", /JWT/));
    expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer error="invalid_token"/);
  });

  test("one signed by somebody else, or changed, is refused", async () => {
    const forged = await sign({ role: "service_role" }, "x".repeat(64));
    const [head, , signature] = token.split(".");
    const body = Buffer.from(JSON.stringify({ role: "service_role" })).toString("base64url");
    for (const bad of [forged, `${head}.${body}.${signature}`]) {
      expect(await as(bad)).toMatchObject(refusal(401, "PGRST301", /JWT/));
    }
  });

  test("one that has expired is refused", async () => {
    const expired = await sign({ role: "authenticated", exp: 1 });
    expect(await as(expired)).toMatchObject(refusal(401, "PGRST303", /^JWT expired$/));
  });

  test("its role is one that the Data API may take, anon when it names none", async () => {
    expect((await as(await sign({ email: "nobody@example.com" }))).json).toMatchObject({
      user: "anon",
    });
    for (const role of ["postgres", "supabase_admin", "supabase_storage_admin"]) {
      expect(await as(await sign({ role }))).toMatchObject(
        refusal(403, "42501", /permission denied to set role/),
      );
    }
    expect(await as(await sign({ role: "boss" }))).toMatchObject(
      refusal(401, "22023", /^role "boss" does not exist$/),
    );
    const none = await as(await sign({ role: "none" }));
    expect(none.status).not.toBe(200);
  });

  test("nothing of one call is left for the next", async () => {
    const one = (await as(token)).json as { uid: string };
    expect(one.uid).toBeTruthy();
    const calls = Array.from({ length: 20 }, (_, i) =>
      i % 2 ? shop.call("GET", "/rpc/who") : as(token),
    );
    for (const [i, { json }] of (await Promise.all(calls)).entries()) {
      expect(json).toMatchObject(i % 2 ? { uid: null, user: "service_role" } : { uid: one.uid });
    }
  });
});
