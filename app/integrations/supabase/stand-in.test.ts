import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOutboundGuard } from "#app/platform/outbound/guard.ts";
import {
  ACCESS_TOKEN,
  type Credentials,
  startTestSandbox,
  type TestSandbox,
} from "../../../sandbox/test-sandbox.ts";
import {
  KeyRefusedError,
  ManagementTokenError,
  OwnerAddressTakenError,
  OwnerMissingError,
  ProjectNotFoundError,
  ProjectPausedError,
  SupabaseRateLimitError,
} from "./errors.ts";
import { createManagementClient } from "./management.ts";
import { identifyProject, openProject } from "./project.ts";

type KeyName = "anonKey" | "serviceRoleKey" | "publishableKey" | "secretKey";

const guard = createOutboundGuard({ allowSuffixes: [], allowOrigins: "127.0.0.1:1024-65535" });
let box: TestSandbox;
let project: Credentials & Record<KeyName, string>;

beforeAll(async () => {
  box = await startTestSandbox();
  // With keys of both generations none of them is null.
  project = (await box.project({ keys: "both" })) as typeof project;
});
afterAll(() => box?.remove());

const open = (key: string) => openProject({ url: project.url, key, guard });
const manage = (accessToken = ACCESS_TOKEN) =>
  createManagementClient({ baseUrl: box.url, accessToken, guard });

describe("a project's gateway", () => {
  it("knows its keys of both generations, and no others", async () => {
    expect(await identifyProject({ url: project.url, guard })).toEqual({ ref: project.ref });
    for (const key of [project.anonKey, project.publishableKey]) {
      expect(await open(key).authSettings()).toMatchObject({ external_email_enabled: true });
      await expect(open(key).proveAdmin()).rejects.toThrow(KeyRefusedError);
    }
    for (const key of [project.serviceRoleKey, project.secretKey]) await open(key).proveAdmin();
    for (const key of ["sb_secret_unknown-unknown-unknown", `${project.anonKey}x`]) {
      await expect(open(key).authSettings()).rejects.toThrow(KeyRefusedError);
    }
  });

  it("makes the owner once, and signs in by the link", async () => {
    const owner = { email: "owner@shop.example", name: "Owner" };
    const first = await open(project.secretKey).ensureOwner(owner);
    const again = await open(project.serviceRoleKey).ensureOwner(owner);
    expect([first.created, again]).toEqual([true, { userId: first.userId, created: false }]);

    const link = await open(project.secretKey).ownerLink(owner.email);
    const opened = await fetch(link, { redirect: "manual" });
    const token = /access_token=([^&]+)/.exec(opened.headers.get("location") ?? "")?.[1];
    const me = await fetch(`${project.url}/auth/v1/user`, {
      headers: { apikey: project.publishableKey, authorization: `Bearer ${token}` },
    });
    expect(await me.json()).toMatchObject({
      id: first.userId,
      email: owner.email,
      app_metadata: { berth_role: "owner" },
    });
    await expect(open(project.secretKey).ownerLink("nobody@shop.example")).rejects.toThrow(
      OwnerMissingError,
    );
  });

  it("leaves somebody who was there before alone", async () => {
    const headers = { apikey: project.secretKey, authorization: `Bearer ${project.secretKey}` };
    const email = "early@shop.example";
    const made = await fetch(`${project.url}/auth/v1/admin/users`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify({ email }),
    });
    expect(made.status).toBe(200);
    await expect(
      open(project.secretKey).ensureOwner({ email: email.toUpperCase(), name: "Early" }),
    ).rejects.toThrow(OwnerAddressTakenError);
  });

  it("makes a bucket once", async () => {
    const bucket = { id: "receipts", public: false, allowedMimeTypes: ["image/png"] };
    const limited = { ...bucket, fileSizeLimit: 1_000 };
    expect(await open(project.secretKey).ensureBucket(bucket)).toBe("created");
    expect(await open(project.serviceRoleKey).ensureBucket(bucket)).toBe("already_there");
    expect(await open(project.secretKey).ensureBucket(limited)).toBe("updated");
    expect(await open(project.secretKey).findBucket("receipts")).toEqual(limited);
    expect(await open(project.secretKey).findBucket("none")).toBeNull();
    const health = await open(project.secretKey).health();
    expect(health.map(({ service, ok }) => [service, ok])).toEqual([
      ["auth", true],
      ["storage", true],
    ]);
  });

  it("says when it is paused", async () => {
    await box.faults({ kind: "paused", ref: project.ref });
    await expect(open(project.secretKey).proveAdmin()).rejects.toThrow(ProjectPausedError);
    await box.faults();
  });
});

describe("the Management API", () => {
  it("answers as the client expects", async () => {
    const { ref } = project;
    expect(await manage().getProject(ref)).toMatchObject({ ref, status: "ACTIVE_HEALTHY" });
    const made = await manage().createProject({
      name: "made by the client",
      db_pass: "a-long-enough-password",
      organization_slug: "berth-test",
      region_selection: { type: "smartGroup", code: "emea" },
    });
    expect((await manage().listProjects()).map((one) => one.ref)).toContain(made.ref);
    const health = await manage().health(ref, ["db", "auth"]);
    expect(health.map((one) => one.status)).toEqual(["ACTIVE_HEALTHY", "ACTIVE_HEALTHY"]);
    const keys = (await manage().apiKeys(ref)).map((one) => one.api_key);
    expect(keys).toEqual(expect.arrayContaining([project.anonKey, project.secretKey]));
    const change = { site_url: "https://shop.example", disable_signup: true };
    expect(await manage().patchAuthConfig(ref, change)).toMatchObject(change);
    expect(await manage().getAuthConfig(ref)).toMatchObject(change);
    const pools = await manage().poolerConfig(ref);
    const { port } = new URL(project.databaseUrl);
    expect(pools.find((one) => one.pool_mode === "session")?.db_port).toBe(Number(port));
  });

  it("refuses wrong tokens, unknown projects, and too much", async () => {
    await expect(manage("sbp_wrong").listProjects()).rejects.toThrow(ManagementTokenError);
    await expect(manage().getProject("z".repeat(20))).rejects.toThrow(ProjectNotFoundError);
    await box.faults({ kind: "rate-limited", route: "GET /v1/projects", times: 1 });
    await expect(manage().listProjects()).rejects.toThrow(SupabaseRateLimitError);
    await box.faults();
  });
});
