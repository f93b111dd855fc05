import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Credentials, startTestSandbox, type TestSandbox } from "../test-sandbox.ts";

let box: TestSandbox;
let one: Credentials;
let other: Credentials;

beforeAll(async () => {
  box = await startTestSandbox();
  [one, other] = await Promise.all([box.project(), box.project({ keys: "new" })]);
});
afterAll(() => box.remove());

async function call(path: string, headers: Record<string, string> = {}, init: RequestInit = {}) {
  const answer = await fetch(`${one.url}${path}`, { redirect: "manual", ...init, headers });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, json: text ? JSON.parse(text) : null };
}
const both = (key: string | null) => ({ apikey: `${key}`, authorization: `Bearer ${key}` });

describe("the gateway", () => {
  test("names its project in every answer", async () => {
    for (const headers of [{}, both(one.anonKey), both("wrong")]) {
      const answer = await call("/auth/v1/settings", headers);
      expect(answer.headers.get("sb-project-ref")).toBe(one.ref);
    }
  });

  test("asks for a key and knows its own only", async () => {
    expect(await call("/auth/v1/settings")).toMatchObject({
      status: 401,
      json: { message: "No API key found in request" },
    });
    const foreign = [other.publishableKey, other.secretKey, "wrong", `${one.anonKey}x`];
    for (const key of foreign) {
      for (const path of ["/auth/v1/settings", "/storage/v1/bucket", "/rest/v1/"]) {
        expect(await call(path, both(key))).toMatchObject({
          status: 401,
          json: { message: "Invalid API key" },
        });
      }
    }
    for (const key of [one.anonKey, one.publishableKey, one.serviceRoleKey, one.secretKey]) {
      expect((await call("/auth/v1/settings", { apikey: `${key}` })).status).toBe(200);
      expect((await call(`/auth/v1/settings?apikey=${key}`)).status).toBe(200);
    }
  });

  test("gives a project only the kinds of keys it has", async () => {
    expect(other.anonKey).toBeNull();
    expect(other.serviceRoleKey).toBeNull();
    const answer = await fetch(`${other.url}/auth/v1/settings`, {
      headers: { apikey: `${other.publishableKey}` },
    });
    expect(answer.status).toBe(200);
  });

  test("refuses the Data API's root to public keys", async () => {
    expect((await call("/rest/v1/", both(one.anonKey))).status).toBe(401);
    expect((await call("/rest/v1/", { apikey: `${one.publishableKey}` })).status).toBe(401);
    expect((await call("/rest/v1/", both(one.serviceRoleKey))).status).toBe(200);
    expect((await call("/rest/v1/products", both(one.serviceRoleKey))).status).toBe(404);
  });
});

describe("Auth", () => {
  const users = "/auth/v1/admin/users?per_page=1";

  test("tells apart no token, a bad one, an expired one and the wrong role", async () => {
    expect(await call(users, { apikey: `${one.serviceRoleKey}` })).toMatchObject({
      status: 401,
      json: { code: 401, error_code: "no_authorization" },
    });
    const bad = { apikey: `${one.serviceRoleKey}`, authorization: "Bearer a.b.c" };
    expect(await call(users, bad)).toMatchObject({ status: 403, json: { error_code: "bad_jwt" } });
    const otherSecret = { apikey: `${one.secretKey}`, authorization: `Bearer ${other.secretKey}` };
    expect(await call(users, otherSecret)).toMatchObject({
      status: 403,
      json: { error_code: "bad_jwt" },
    });
    for (const key of [one.anonKey, one.publishableKey]) {
      expect(await call(users, both(key))).toMatchObject({
        status: 403,
        json: { error_code: "not_admin" },
      });
    }
    const forged = await new SignJWT({ role: "service_role" })
      .setProtectedHeader({ alg: "HS256" })
      .sign(new TextEncoder().encode("x".repeat(64)));
    expect(
      await call(users, { apikey: `${one.anonKey}`, authorization: `Bearer ${forged}` }),
    ).toMatchObject({ status: 403, json: { error_code: "bad_jwt" } });
    for (const headers of [
      both(one.serviceRoleKey),
      both(one.secretKey),
      { apikey: `${one.secretKey}` },
    ]) {
      expect(await call(users, headers)).toMatchObject({ status: 200, json: { users: [] } });
    }
  });

  test("answers malformed requests in its own words", async () => {
    const post = (body: string) =>
      call("/auth/v1/admin/users", both(one.secretKey), { method: "POST", body });
    expect(await post("{")).toMatchObject({ status: 400, json: { error_code: "bad_json" } });
    expect(await post("{}")).toMatchObject({
      status: 400,
      json: { error_code: "validation_failed" },
    });
    expect(await post('{"email":"a@example.com","password":"abc"}')).toMatchObject({
      status: 422,
      json: { error_code: "weak_password" },
    });
  });

  test("makes one user of two creations at once", async () => {
    const create = () =>
      call("/auth/v1/admin/users", both(one.secretKey), {
        method: "POST",
        body: '{"email":"twin@example.com"}',
      });
    const answers = await Promise.all([create(), create(), create()]);
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 422, 422]);
  });

  test("fires the triggers of the customer's schema, as the role of Auth", async () => {
    const db = await box.connect(one.databaseUrl);
    await db.query(`
      create table seen (email text, who text);
      create function note() returns trigger language plpgsql security definer set search_path = ''
        as $$ begin insert into public.seen values (new.email, session_user); return new; end $$;
      create trigger note after insert on auth.users for each row execute function note();
      create function public.refuse() returns trigger language plpgsql set search_path = ''
        as $$ begin if new.email like 'bad%' then raise exception 'no'; end if; return new; end $$;
      create trigger refuse before insert on auth.users for each row execute function refuse()`);
    const create = (email: string) =>
      call("/auth/v1/admin/users", both(one.secretKey), {
        method: "POST",
        body: JSON.stringify({ email }),
      });
    expect((await create("good@example.com")).status).toBe(200);
    expect((await db.query("select * from seen")).rows).toEqual([
      { email: "good@example.com", who: "supabase_auth_admin" },
    ]);
    expect(await create("bad@example.com")).toMatchObject({
      status: 500,
      json: { error_code: "unexpected_failure", msg: "Database error creating new user" },
    });
  });

  test("goes by the configuration that the Management API sets", async () => {
    const settings = async () => (await call("/auth/v1/settings", both(one.anonKey))).json;
    expect(await settings()).toMatchObject({
      disable_signup: false,
      mailer_autoconfirm: false,
      external: { email: true },
    });
    const changed = await box.manage("PATCH", `/v1/projects/${one.ref}/config/auth`, {
      disable_signup: true,
      mailer_autoconfirm: true,
      external_email_enabled: false,
      site_url: "https://shop.example.com",
      uri_allow_list: "https://*.example.org/**,https://one.example.net/done",
    });
    expect(changed.status).toBe(200);
    expect(await settings()).toMatchObject({
      disable_signup: true,
      mailer_autoconfirm: true,
      external: { email: false },
    });
    const signUp = await call("/auth/v1/signup", both(one.anonKey), {
      method: "POST",
      body: '{"email":"new@example.com","password":"long enough"}',
    });
    expect(signUp).toMatchObject({ status: 422, json: { error_code: "signup_disabled" } });

    const leadsTo = async (redirect: string) => {
      const link = await call("/auth/v1/admin/generate_link", both(one.secretKey), {
        method: "POST",
        body: JSON.stringify({
          type: "magiclink",
          email: "twin@example.com",
          redirect_to: redirect,
        }),
      });
      return link.json.redirect_to;
    };
    for (const fine of [
      "https://shop.example.com/welcome",
      "https://eu.example.org/a/b",
      "https://one.example.net/done",
    ]) {
      expect(await leadsTo(fine)).toBe(fine);
    }
    for (const foreign of [
      "https://evil.example.com/",
      "https://one.example.net/other",
      "https://example.org.evil.com/a",
      "javascript:alert(1)",
      "//evil.com",
    ]) {
      expect(await leadsTo(foreign), foreign).toBe("https://shop.example.com");
    }
  });

  test("lets a link expire", async () => {
    await box.manage("PATCH", `/v1/projects/${one.ref}/config/auth`, { mailer_otp_exp: 0 });
    const link = await call("/auth/v1/admin/generate_link", both(one.secretKey), {
      method: "POST",
      body: '{"type":"recovery","email":"twin@example.com"}',
    });
    const answer = await fetch(link.json.action_link, { redirect: "manual" });
    expect(answer.status).toBe(303);
    const hash = new URLSearchParams(new URL(`${answer.headers.get("location")}`).hash.slice(1));
    expect(hash.get("error")).toBe("access_denied");
    expect(hash.get("error_code")).toBe("otp_expired");
  });
});

describe("Storage", () => {
  test("wraps its refusals in a 400", async () => {
    const bucket = (headers: Record<string, string>, body: string) =>
      call("/storage/v1/bucket", headers, { method: "POST", body });
    expect((await bucket(both(one.secretKey), '{"name":"files"}')).json).toEqual({ name: "files" });
    expect(await bucket(both(one.secretKey), '{"name":"files"}')).toMatchObject({
      status: 400,
      json: { statusCode: "409", error: "Duplicate" },
    });
    for (const limit of [-1, 1e30, "many", {}, "99999999999999 TB"]) {
      const body = JSON.stringify({ name: "limited", file_size_limit: limit });
      expect(await bucket(both(one.secretKey), body)).toMatchObject({
        status: 400,
        json: { statusCode: "422", error: "invalid_file_size_limit" },
      });
    }
    expect(await bucket({ apikey: `${one.serviceRoleKey}` }, '{"name":"a"}')).toMatchObject({
      status: 400,
      json: { statusCode: "400" },
    });
    expect(await bucket(both(one.anonKey), '{"name":"a"}')).toMatchObject({
      status: 400,
      json: { statusCode: "403", error: "Unauthorized" },
    });
    expect(await call("/storage/v1/bucket/none", both(one.secretKey))).toMatchObject({
      status: 400,
      json: { statusCode: "404", error: "Bucket not found" },
    });
    expect((await call("/storage/v1/bucket", both(one.anonKey))).json).toEqual([]);
  });
});
