import { createClient } from "@supabase/supabase-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Credentials, startTestSandbox, type TestSandbox } from "../test-sandbox.ts";

let box: TestSandbox;
let project: Credentials;

beforeAll(async () => {
  box = await startTestSandbox();
  project = await box.project();
});
afterAll(() => box.remove());

const client = (key: string | null) =>
  createClient(project.url, `${key}`, { auth: { persistSession: false, autoRefreshToken: false } });

describe.each(["serviceRoleKey", "secretKey"] as const)("supabase-js with %s", (name) => {
  const email = `${name}@example.com`.toLowerCase();

  test("makes, finds, changes and removes users", async () => {
    const { admin } = client(project[name]).auth;
    const made = await admin.createUser({
      email,
      password: "correct horse",
      email_confirm: true,
      user_metadata: { shop: "one" },
    });
    expect(made.error).toBeNull();
    const user = made.data.user;
    expect(user).toMatchObject({ email, role: "authenticated", user_metadata: { shop: "one" } });
    expect(user?.email_confirmed_at).toBeTruthy();
    expect(user?.identities?.[0]).toMatchObject({ provider: "email", user_id: user?.id });

    const twice = await admin.createUser({ email: email.toUpperCase() });
    expect(twice.error).toMatchObject({ status: 422, code: "email_exists" });
    expect((await admin.createUser({ email: "no address" })).error).toMatchObject({
      status: 400,
      code: "validation_failed",
    });

    const listed = await admin.listUsers({ page: 1, perPage: 1 });
    expect(listed.error).toBeNull();
    expect(listed.data.users).toHaveLength(1);

    const id = `${user?.id}`;
    const changed = await admin.updateUserById(id, { app_metadata: { level: 2 } });
    expect(changed.data.user?.app_metadata).toMatchObject({ level: 2, provider: "email" });
    expect((await admin.getUserById(id)).data.user?.email).toBe(email);

    const person = client(project.anonKey);
    const signedIn = await person.auth.signInWithPassword({ email, password: "correct horse" });
    expect(signedIn.error).toBeNull();
    const refreshed = await person.auth.refreshSession();
    expect(refreshed.data.session?.access_token).toBeTruthy();
    expect((await person.auth.signOut()).error).toBeNull();
    const wrong = await person.auth.signInWithPassword({ email, password: "wrong" });
    expect(wrong.error).toMatchObject({ status: 400, code: "invalid_credentials" });

    expect((await admin.deleteUser(id)).error).toBeNull();
    expect((await admin.getUserById(id)).error).toMatchObject({ status: 404 });
  });

  test("makes a link whose page gives a session once", async () => {
    const { admin } = client(project[name]).auth;
    const link = await admin.generateLink({ type: "invite", email: `invited-${email}` });
    expect(link.error).toBeNull();
    expect(link.data.properties).toMatchObject({
      verification_type: "invite",
      redirect_to: `${project.url}/welcome`,
    });
    const open = () => fetch(`${link.data.properties?.action_link}`, { redirect: "manual" });

    const first = await open();
    expect(first.status).toBe(303);
    const target = new URL(`${first.headers.get("location")}`);
    expect(`${target.origin}${target.pathname}`).toBe(`${project.url}/welcome`);
    const values = new URLSearchParams(target.hash.slice(1));
    expect(values.get("type")).toBe("invite");
    const whose = await client(project.publishableKey).auth.getUser(
      `${values.get("access_token")}`,
    );
    expect(whose.data.user).toMatchObject({ email: `invited-${email}` });
    expect(whose.data.user?.email_confirmed_at).toBeTruthy();

    const second = new URL(`${(await open()).headers.get("location")}`);
    expect(new URLSearchParams(second.hash.slice(1)).get("error_code")).toBe("otp_expired");

    const again = await admin.generateLink({ type: "invite", email: `invited-${email}` });
    expect(again.error).toMatchObject({ status: 422, code: "email_exists" });
    const lost = await admin.generateLink({ type: "recovery", email: "nobody@example.com" });
    expect(lost.error).toMatchObject({ status: 404, code: "user_not_found" });
  });

  test("makes, lists, changes and removes buckets", async () => {
    const { storage } = client(project[name]);
    const id = `bucket-${name}`;
    const made = await storage.createBucket(id, { public: false, fileSizeLimit: "1MB" });
    expect(made.error).toBeNull();
    expect((await storage.createBucket(id)).error).toMatchObject({
      status: 400,
      statusCode: "409",
    });
    expect((await storage.listBuckets()).data).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id, public: false, file_size_limit: 1e6 }),
      ]),
    );
    expect((await storage.updateBucket(id, { public: true })).error).toBeNull();
    const changed = { id, public: true, file_size_limit: 1e6, allowed_mime_types: null };
    expect((await storage.getBucket(id)).data).toMatchObject(changed);
    const limits = {
      public: false,
      fileSizeLimit: null,
      allowedMimeTypes: ["image/png", "text/*"],
    };
    expect((await storage.updateBucket(id, limits)).error).toBeNull();
    expect((await storage.getBucket(id)).data).toMatchObject({
      public: false,
      file_size_limit: null,
      allowed_mime_types: limits.allowedMimeTypes,
    });
    expect((await storage.updateBucket("none", { public: true })).error).toMatchObject({
      status: 400,
      statusCode: "404",
    });
    expect((await client(project.anonKey).storage.createBucket("x")).error).toMatchObject({
      status: 400,
      statusCode: "403",
    });
    expect((await storage.emptyBucket(id)).error).toBeNull();
    expect((await storage.deleteBucket(id)).error).toBeNull();
    expect((await storage.getBucket(id)).error).toMatchObject({ status: 400, statusCode: "404" });
  });
});
