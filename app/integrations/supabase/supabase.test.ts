import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { BerthError } from "#app/platform/errors.ts";
import { OutboundUnreachableError } from "#app/platform/outbound/errors.ts";
import { createOutboundGuard } from "#app/platform/outbound/guard.ts";
import {
  BucketLimitError,
  KeyRefusedError,
  ManagementTokenError,
  OwnerAddressTakenError,
  OwnerMissingError,
  ProjectNotFoundError,
  ProjectPausedError,
  ProjectRestrictedError,
  ProjectTimeoutError,
  SupabaseAnswerError,
  SupabaseFailureError,
  SupabaseRateLimitError,
} from "./errors.ts";
import { createManagementClient } from "./management.ts";
import { identifyProject, openProject } from "./project.ts";

const ref = "abcdefghijklmnopqrst";
const key = "sb_secret_c4n4ryc4n4ryc4n4ry";
const project = {
  ref,
  id: ref,
  name: "berth",
  region: "eu-central-1",
  organization_id: "o",
  organization_slug: "o",
  created_at: "2026-01-01T00:00:00Z",
  status: "COMING_UP",
};

interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
}
interface Call {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever was sent
  body: any;
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A real HTTP server that answers by a function and remembers what it was asked. */
async function serve(answer: (call: Call) => Answer) {
  const calls: Call[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const call = {
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
      body: text === "" ? undefined : JSON.parse(text),
    };
    calls.push(call);
    const { status = 200, headers = {}, body = {} } = answer(call);
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const origin = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const guard = createOutboundGuard({ allowSuffixes: ["supabase.co"], allowOrigins: origin });
  return { calls, guard, url: `http://${origin}` };
}

async function failure(work: Promise<unknown>): Promise<BerthError> {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(JSON.stringify(error) + String(error)).not.toContain(key);
  return error as BerthError;
}

const open = async (answer: (call: Call) => Answer) => {
  const served = await serve(answer);
  return { ...served, project: openProject({ url: served.url, key, guard: served.guard }) };
};

describe("failures of a project's gateway", () => {
  it.each([
    [540, ProjectPausedError, false],
    [544, ProjectTimeoutError, true],
    [402, ProjectRestrictedError, false],
    [401, KeyRefusedError, false],
    [403, KeyRefusedError, false],
    [429, SupabaseRateLimitError, true],
    [500, SupabaseFailureError, true],
    [503, SupabaseFailureError, true],
    [302, SupabaseAnswerError, false],
    [418, SupabaseAnswerError, false],
  ])("%i has an error of its own, by every way of asking", async (status, kind, retryable) => {
    const { project } = await open(() => ({ status, body: { message: `about ${key}` } }));
    const ways = [
      () => project.authSettings(),
      () => project.proveAdmin(),
      () => project.ensureOwner({ email: "a@b.example", name: "A" }),
      () => project.ownerLink("a@b.example"),
      () => project.ensureBucket({ id: "receipts", public: false }),
    ];
    for (const way of ways) {
      const error = await failure(way());
      expect(error).toBeInstanceOf(kind);
      expect(error.retryable).toBe(retryable);
      expect(error.found && error.needed && error.fix).toBeTruthy();
    }
  });

  it("says that a project whose name is gone is paused or gone", async () => {
    const guard = createOutboundGuard({
      allowSuffixes: ["supabase.co"],
      allowOrigins: "",
      resolve: async () => {
        throw Object.assign(new Error("x"), { code: "ENOTFOUND" });
      },
    });
    const url = `https://${ref}.supabase.co`;
    const gone = openProject({ url, key, guard });
    for (const way of [gone.proveAdmin(), gone.authSettings(), identifyProject({ url, guard })]) {
      expect(await failure(way)).toBeInstanceOf(ProjectPausedError);
    }
  });

  it("passes on what the guard says, prints nothing, and takes no page for an answer", async () => {
    const printed = vi.spyOn(console, "error");
    const guard = createOutboundGuard({ allowSuffixes: [], allowOrigins: "127.0.0.1:1" });
    const closed = openProject({ url: "http://127.0.0.1:1", key, guard });
    expect(await failure(closed.proveAdmin())).toBeInstanceOf(OutboundUnreachableError);
    const { project } = await open(() => ({ body: "<html>" }));
    expect(await failure(project.proveAdmin())).toBeInstanceOf(SupabaseAnswerError);
    expect(await failure(project.authSettings())).toBeInstanceOf(SupabaseAnswerError);
    expect(printed).not.toHaveBeenCalled();
  });

  it("identifies a project without any key, even by a refusal", async () => {
    const { calls, guard, url } = await serve(() => ({
      status: 401,
      headers: { "sb-project-ref": ref },
      body: { message: "No API key found in request" },
    }));
    expect(await identifyProject({ url, guard })).toEqual({ ref });
    expect(calls[0]?.headers.apikey).toBeUndefined();
  });
});

describe("the owner's account", () => {
  const user = (email: string, mark?: string) => ({
    id: "7a1c54a8-2f7b-4c0e-9d5d-2b2b6f4b3c11",
    email,
    app_metadata: mark ? { berth_role: mark } : {},
    user_metadata: {},
  });

  it("is created once, confirmed, marked, and without a password", async () => {
    const users: unknown[] = [];
    const { calls, project } = await open(({ method, body }) => {
      if (method === "GET") return { body: { users, aud: "" } };
      users.push(user(body.email, body.app_metadata.berth_role));
      return { body: users[0] };
    });
    const owner = { email: "Owner@Example.com", name: "Ö" };
    expect(await project.findOwner(owner.email)).toBeNull();
    const first = await project.ensureOwner(owner);
    const second = await project.ensureOwner(owner);
    expect(await project.findOwner(owner.email)).toBe(first.userId);
    expect([first.created, second.created]).toEqual([true, false]);
    expect(second.userId).toBe(first.userId);
    const posts = calls.filter((call) => call.method === "POST");
    expect(posts.map((call) => call.body)).toEqual([
      {
        email: "owner@example.com",
        email_confirm: true,
        user_metadata: { name: "Ö" },
        app_metadata: { berth_role: "owner" },
      },
    ]);
    expect(posts[0]?.headers).toMatchObject({ apikey: key, authorization: `Bearer ${key}` });
  });

  it("is found when another runner was faster, and beyond the first pages", async () => {
    const taken = { status: 422, body: { error_code: "email_exists", msg: "exists" } };
    let listed = 0;
    const race = await open(({ method }) => {
      if (method === "POST") return taken;
      listed += 1;
      return { body: { users: listed === 1 ? [] : [user("a@b.example", "owner")] } };
    });
    expect(await race.project.ensureOwner({ email: "a@b.example", name: "A" })).toMatchObject({
      created: false,
    });
    const crowd = Array.from({ length: 200 }, (_, n) => user(`u${n}@b.example`));
    const full = await open(({ method, path }) => {
      if (path.includes("generate_link")) {
        return { body: { ...user("a@b.example", "owner"), action_link: "x" } };
      }
      return method === "POST" ? taken : { body: { users: crowd } };
    });
    expect(await full.project.ensureOwner({ email: "a@b.example", name: "A" })).toMatchObject({
      created: false,
    });
    expect(full.calls.some((call) => call.path.startsWith("/auth/v1/admin/users?page=5&"))).toBe(
      true,
    );
  });

  it("is never somebody who signed up with the address beforehand", async () => {
    const { calls, project } = await open(() => ({ body: { users: [user("a@b.example")] } }));
    const error = await failure(project.ensureOwner({ email: "a@b.example", name: "A" }));
    expect(error).toBeInstanceOf(OwnerAddressTakenError);
    expect(calls.every((call) => call.method === "GET")).toBe(true);
  });

  it("signs in by a link that leads to the project and nowhere else", async () => {
    const path = "/auth/v1/verify?token=t&type=recovery&redirect_to=https%3A%2F%2Fshop.example";
    const { calls, project, url } = await open(() => ({
      body: { ...user("a@b.example"), action_link: `https://evil.example${path}` },
    }));
    expect(await project.ownerLink("A@b.example")).toBe(url + path);
    expect(calls[0]?.body).toMatchObject({ type: "recovery", email: "a@b.example" });
    const gone = await open(() => ({ status: 404, body: { error_code: "user_not_found" } }));
    expect(await failure(gone.project.ownerLink("a@b.example"))).toBeInstanceOf(OwnerMissingError);
    const odd = await open(() => ({ body: { action_link: "javascript:alert(1)" } }));
    expect(await failure(odd.project.ownerLink("a@b.example"))).toBeInstanceOf(SupabaseAnswerError);
  });
});

describe("other calls of a project", () => {
  it("reads Auth's settings and the health of the services", async () => {
    const { project } = await open(({ path }) =>
      path.startsWith("/storage")
        ? { status: 500 }
        : {
            body: {
              disable_signup: true,
              external: { email: true, phone: false },
              mailer_autoconfirm: false,
            },
          },
    );
    expect(await project.authSettings()).toEqual({
      disable_signup: true,
      external_email_enabled: true,
      external_phone_enabled: false,
      // This Auth does not tell.
      external_anonymous_users_enabled: null,
      mailer_autoconfirm: false,
    });
    expect(await project.health()).toEqual([
      { service: "auth", ok: true },
      { service: "storage", ok: false },
    ]);
  });

  /** Storage as it answers: 400 to every refusal, with the true code inside. */
  const storage = (buckets: Record<string, object>, refusal?: [string, string]) =>
    open(({ method, path, body }) => {
      const refuse = ([statusCode, error]: [string, string]) => ({
        status: 400,
        body: { statusCode, error, message: "no" },
      });
      const id = path.split("/")[4];
      if (method !== "GET" && refusal) return refuse(refusal);
      if (method === "POST") {
        if (buckets[body.id]) return refuse(["409", "Duplicate"]);
        buckets[body.id] = { ...body };
        return { body: { name: body.id } };
      }
      const bucket = buckets[id ?? ""];
      if (!bucket) return refuse(["404", "Bucket not found"]);
      if (method === "PUT") Object.assign(bucket, body);
      return { body: method === "PUT" ? { message: "Successfully updated" } : bucket };
    });
  const wanted = {
    id: "receipts",
    public: false,
    fileSizeLimit: 1_000,
    allowedMimeTypes: ["image/png", "image/jpeg"],
  };
  const asked = ({ calls }: { calls: Call[] }) => calls.map(({ method }) => method);

  it("makes a bucket, and finds it as it was made", async () => {
    const { project, ...served } = await storage({});
    expect(await project.findBucket("receipts")).toBeNull();
    expect(await project.ensureBucket(wanted)).toBe("created");
    expect(await project.ensureBucket(wanted)).toBe("already_there");
    expect(await project.findBucket("receipts")).toEqual(wanted);
    expect(asked(served)).toEqual(["GET", "GET", "POST", "GET", "GET"]);
    expect(served.calls[2]).toMatchObject({
      path: "/storage/v1/bucket",
      body: { id: "receipts", public: false, file_size_limit: 1_000 },
    });
  });

  it.each([
    ["open to everybody", { public: true }, "updated"],
    ["with another limit", { file_size_limit: 5 }, "updated"],
    ["with other kinds", { allowed_mime_types: ["image/png"] }, "updated"],
    ["with the same kinds in another order", {}, "already_there"],
  ])("makes a bucket %s what is asked for", async (_, change, outcome) => {
    const kinds = ["image/jpeg", "image/png"];
    const receipts = { id: "receipts", public: false, file_size_limit: 1_000, ...change };
    const buckets = { receipts: { allowed_mime_types: kinds, ...receipts } };
    const { project } = await storage(buckets);
    expect(await project.ensureBucket(wanted)).toBe(outcome);
    expect(buckets.receipts).toMatchObject({ public: false, file_size_limit: 1_000 });
    expect(buckets.receipts.allowed_mime_types.toSorted()).toEqual(kinds);
  });

  it("leaves of a bucket what is not asked for", async () => {
    const receipts = { id: "receipts", public: true, file_size_limit: 5, allowed_mime_types: null };
    const { project } = await storage({ receipts });
    expect(await project.ensureBucket({ id: "receipts", public: false })).toBe("updated");
    expect(receipts).toMatchObject({ public: false, file_size_limit: 5 });
  });

  it.each([
    [["413", "Payload too large"], BucketLimitError, false],
    [["403", "Unauthorized"], KeyRefusedError, false],
    [["500", "Internal"], SupabaseFailureError, true],
    [["429", "TooManyRequests"], SupabaseRateLimitError, true],
    [["422", "invalid_mime_type"], SupabaseAnswerError, false],
  ] as const)(
    "tells Storage's refusal by the code inside: %j",
    async (refusal, kind, retryable) => {
      const { project } = await storage({}, [...refusal]);
      const error = await failure(project.ensureBucket(wanted));
      expect(error).toBeInstanceOf(kind);
      expect(error).toMatchObject({ retryable, fix: expect.stringMatching(/\w/) });
    },
  );

  it("takes nothing for a bucket that is none, nor a change that did not happen", async () => {
    const odd = await open(() => ({ body: { name: "receipts" } }));
    expect(await failure(odd.project.findBucket("receipts"))).toBeInstanceOf(SupabaseAnswerError);
    const deaf = await open(({ method }) => ({
      body: method === "PUT" ? { message: "ok" } : { id: "receipts", public: true },
    }));
    const unheard = await failure(deaf.project.ensureBucket(wanted));
    expect(unheard.message).toContain("the bucket receipts is not as it was just set");
  });
});

describe("the Management API", () => {
  const token = "sbp_c4n4ryc4n4ryc4n4ry";
  const manage = async (answer: (call: Call) => Answer) => {
    const served = await serve(answer);
    const { guard, url } = served;
    return { ...served, api: createManagementClient({ baseUrl: url, accessToken: token, guard }) };
  };

  it("sends the token, and returns what this code needs", async () => {
    const { api, calls } = await manage(({ path }) => {
      if (path === "/v1/projects") return { status: 201, body: project };
      if (path.includes("/health")) return { body: [{ name: "db", status: "COMING_UP" }] };
      if (path.includes("/api-keys")) {
        return { body: [{ name: "anon", api_key: "k", type: "legacy", hash: "h" }] };
      }
      if (path.includes("/config/auth")) return { body: { site_url: "s", smtp_pass: "hidden" } };
      return { body: { ...project, status: "SOMETHING_NEW" } };
    });
    const made = await api.createProject({
      name: "berth",
      db_pass: "p",
      organization_slug: "o",
      region_selection: { type: "smartGroup", code: "emea" },
    });
    expect(made).toMatchObject({ ref, status: "COMING_UP" });
    expect(await api.getProject(ref)).toMatchObject({ ref, status: "UNKNOWN" });
    expect(await api.health(ref, ["db", "auth"])).toEqual([{ name: "db", status: "COMING_UP" }]);
    expect(await api.apiKeys(ref)).toEqual([{ name: "anon", api_key: "k", type: "legacy" }]);
    expect(await api.patchAuthConfig(ref, { site_url: "s" })).toEqual({ site_url: "s" });
    expect(calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /v1/projects",
      `GET /v1/projects/${ref}`,
      `GET /v1/projects/${ref}/health?services=db,auth`,
      `GET /v1/projects/${ref}/api-keys?reveal=true`,
      `PATCH /v1/projects/${ref}/config/auth`,
    ]);
    expect(new Set(calls.map((call) => call.headers.authorization))).toEqual(
      new Set([`Bearer ${token}`]),
    );
  });

  it("says how long a 429 lasts, by its header in seconds", async () => {
    const { api } = await manage(() => ({ status: 429, headers: { "x-ratelimit-reset": "37" } }));
    const error = await failure(api.listProjects());
    expect(error).toBeInstanceOf(SupabaseRateLimitError);
    expect((error as SupabaseRateLimitError).resetAfterMs).toBe(37_000);
    for (const header of ["-1", "soon", "99999999999", ""]) {
      const odd = await manage(() => ({ status: 429, headers: { "x-ratelimit-reset": header } }));
      const { resetAfterMs } = (await failure(odd.api.listProjects())) as SupabaseRateLimitError;
      expect(resetAfterMs).toBeGreaterThan(0);
      expect(resetAfterMs).toBeLessThanOrEqual(3_600_000);
    }
  });

  it("has an error for each refusal, and none tells the token", async () => {
    for (const [status, kind] of [
      [401, ManagementTokenError],
      [403, ManagementTokenError],
      [404, ProjectNotFoundError],
      [500, SupabaseFailureError],
      [400, SupabaseAnswerError],
    ] as const) {
      const { api } = await manage(() => ({ status, body: { message: token } }));
      const error = await failure(api.getProject(ref));
      expect(error).toBeInstanceOf(kind);
      expect(JSON.stringify(error) + String(error)).not.toContain(token);
    }
    const odd = await manage(() => ({ body: [{ api_key: "k" }] }));
    expect(await failure(odd.api.apiKeys(ref))).toBeInstanceOf(SupabaseAnswerError);
    const before = odd.calls.length;
    const bad = await failure(odd.api.getProject("../v1/organizations"));
    expect(bad).toBeInstanceOf(ProjectNotFoundError);
    expect(odd.calls.length).toBe(before);
  });
});
