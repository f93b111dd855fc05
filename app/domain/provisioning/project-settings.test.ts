/** Buckets and settings of Auth, against servers that answer as a project and the Management API. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createManagementClient } from "#app/integrations/supabase/management.ts";
import { openProject } from "#app/integrations/supabase/project.ts";
import { createOutboundGuard } from "#app/platform/outbound/guard.ts";
import { base, beside, load, manifest, removeFolders } from "../catalog/template-folders.ts";
import { configureAuth } from "./auth-settings.ts";
import { lookForBucket, lookForSettings } from "./findings.ts";
import { planRun } from "./plan.ts";
import { provideBucket } from "./project-buckets.ts";
import type { Site } from "./steps.ts";

const REF = "abcdefghijklmnopqrst";
const FRESH = {
  disable_signup: false,
  external_email_enabled: true,
  external_phone_enabled: true,
  external_anonymous_users_enabled: false,
};

let config: Record<string, boolean>;
/** What Auth keeps to itself, as an older one does. */
let silent: string[];
let isBeyond: boolean;
/** Whether Auth does what it was asked to. */
let isDeaf: boolean;
let storageRefuses: string | null;
let bucket: Record<string, unknown> | null;
let patched: unknown[];
let server: Server;
let site: (templates: Record<string, string>, changes?: Partial<Site>) => Promise<Site>;

beforeEach(async () => {
  config = { ...FRESH };
  isDeaf = false;
  [silent, patched, isBeyond, storageRefuses, bucket] = [[], [], false, null, null];
  server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const { status, body } = answer(request.method ?? "", request.url ?? "", text);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const origin = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const guard = createOutboundGuard({ allowSuffixes: [], allowOrigins: origin });
  const project = openProject({ url: `http://${origin}`, key: "sb_secret_x", guard });
  const management = createManagementClient({
    baseUrl: `http://${origin}`,
    accessToken: "t",
    guard,
  });
  site = async (files, changes = {}) => {
    const catalog = await load({ ...base, ...files });
    const templates = catalog.templates.map(({ name }) => name);
    const parts = { admin: project, visitor: project, management, projectRef: REF };
    return { catalog, templates, ...parts, ...changes } as Site;
  };
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await removeFolders();
});

function answer(method: string, url: string, text: string): { status: number; body: unknown } {
  if (url.startsWith("/storage/")) {
    if (method === "GET" && bucket) return { status: 200, body: bucket };
    const statusCode = method === "GET" ? "404" : (storageRefuses ?? "");
    if (statusCode) return { status: 400, body: { statusCode, error: "no", message: "no" } };
    return { status: 200, body: { name: "files" } };
  }
  if (url.startsWith("/auth/")) {
    const external = Object.fromEntries(
      ["email", "phone", "anonymous_users"]
        .filter((name) => !silent.includes(name))
        .map((name) => [name, config[`external_${name}_enabled`]]),
    );
    return { status: 200, body: { disable_signup: config.disable_signup, external } };
  }
  if (isBeyond) return { status: 403, body: { message: "no" } };
  if (method === "PATCH") {
    patched.push(JSON.parse(text));
    if (!isDeaf) Object.assign(config, JSON.parse(text));
  }
  return { status: 200, body: config };
}

const asking = (name: string, changes: Record<string, string>) =>
  beside(name, { "template.yaml": manifest(name, changes) });
const shop = () =>
  asking("shop", { auth: "{ disable_signup: true, external_email_enabled: true }" });

describe("the settings of Auth", () => {
  it("are those of all templates together, and only what is not so is changed", async () => {
    const both = await site({
      ...shop(),
      ...asking("till", { auth: "{ external_phone_enabled: false }" }),
    });
    const settings = ["sign-up closed", "e-mail sign-in on", "phone sign-in off"];
    expect(await configureAuth(both)).toEqual({ outcome: "configured", settings });
    expect(patched).toEqual([{ disable_signup: true, external_phone_enabled: false }]);
    expect(await configureAuth(both)).toEqual({ outcome: "already_configured", settings });
    expect(patched).toHaveLength(1);
  });

  it("are left alone where no template asks for anything", async () => {
    expect(await configureAuth(await site({}))).toEqual({ outcome: "nothing_asked" });
    expect(config).toEqual(FRESH);
  });

  it("that Auth does not tell are read through the Management API, and that is said", async () => {
    silent = ["anonymous_users"];
    const till = await site(asking("till", { auth: "{ external_anonymous_users_enabled: true }" }));
    expect(await configureAuth(till)).toEqual({
      outcome: "configured",
      settings: ["anonymous sign-in on"],
      readByManagement: ["external_anonymous_users_enabled"],
    });
  });

  it("are not waited for once the run is to end", async () => {
    isDeaf = true;
    const ended = await site(shop(), { signal: AbortSignal.abort() });
    await expect(configureAuth(ended)).rejects.toMatchObject({ name: "AbortError" });
    expect(patched).toHaveLength(1);
  });

  it.each([
    ["without a token", { management: null }, false],
    ["for a project beyond it", {}, true],
  ])("are a person's %s, who is told what and where", async (_, changes, beyond) => {
    isBeyond = beyond;
    silent = ["email"];
    await expect(configureAuth(await site(shop(), changes))).rejects.toMatchObject({
      code: "needs_person",
      found: "sign-up open, nobody tells whether e-mail sign-in on",
      needed: "sign-up closed, e-mail sign-in on",
      fix: expect.stringContaining("the e-mail provider"),
      link: `https://supabase.com/dashboard/project/${REF}/auth/providers`,
    });
    expect(patched).toEqual([]);
  });
});

describe("what became of the settings, where a run was cut off at them", () => {
  it("is done where Auth has them, whoever saw to it", async () => {
    config.disable_signup = true;
    expect(await lookForSettings(await site(shop()))).toMatchObject({ outcome: "done" });
    expect(patched).toEqual([]);
  });

  it("is nothing where nobody was asked: no template asks, or there is no token", async () => {
    expect(await lookForSettings(await site({}))).toMatchObject({ outcome: "undone" });
    const own = await site(shop(), { management: null });
    expect(await lookForSettings(own)).toMatchObject({ outcome: "undone" });
  });

  it("is unknown where Supabase was asked and they are not there, after some looks", async () => {
    const { outcome, why } = await lookForSettings(await site(shop()));
    expect(outcome).toBe("unknown");
    expect(why).toContain("may have been under way");
  });
});

describe("a bucket", () => {
  const files = () => asking("shop", { storage: "[{ bucket: files, file_size_limit: 2000 }]" });

  it("is a step of its own, after the schema and before policies", async () => {
    const { catalog } = await site({
      ...files(),
      "shop/migrations/20260301000100_policies.sql": "-- berth: phase=policies\nselect 1;\n",
      ...asking("till", {
        storage: "[{ bucket: files, file_size_limit: 2000 }, { bucket: slips }]",
      }),
    });
    const { steps } = planRun(catalog, ["shop", "till"]);
    const order = steps.map(
      ({ kind, name, file }) => file?.replace(/.*_/, "") ?? `${kind} ${name}`,
    );
    expect(order.slice(-7)).toEqual([
      "till.sql",
      "storage Storage: files",
      "storage Storage: slips",
      "auth-config Auth configuration",
      "policies.sql",
      "owner Owner account",
      "health Health check",
    ]);
  });

  const step = { name: "Storage: files", kind: "storage" } as const;

  it("is made", async () => {
    expect(await provideBucket(await site(files()), step)).toEqual({ outcome: "created" });
  });

  it.each([
    [{ id: "files", public: false, file_size_limit: 2_000 }, "done"],
    [{ id: "files", public: true, file_size_limit: 2_000 }, "unknown"],
    [null, "unknown"],
  ])("that a run was cut off at is looked for: %o is %s", async (found, outcome) => {
    bucket = found;
    expect(await lookForBucket(await site(files()), step)).toMatchObject({ outcome });
  });

  it("above the project's own limit is a person's, who is told where to raise it", async () => {
    storageRefuses = "413";
    await expect(provideBucket(await site(files()), step)).rejects.toMatchObject({
      code: "needs_person",
      needed: "a limit of at least 2000 bytes",
      link: `https://supabase.com/dashboard/project/${REF}/storage/settings`,
    });
  });

  it("that no template asks for any more stops the step", async () => {
    const other = { name: "Storage: other", kind: "storage" } as const;
    await expect(provideBucket(await site(files()), other)).rejects.toMatchObject({
      code: "bucket_unknown",
      fix: expect.stringContaining("Retry"),
    });
  });
});
