import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import type { RequestRow } from "../queue/index.server.ts";
import { SecretMissingError, type Vault } from "../vault/index.server.ts";
import {
  attachBackend,
  type Backend,
  backendSecret,
  isProjectInUse,
  liveBackendOf,
  ProjectInUseError,
  purgeRetiredSecrets,
  retireBackend,
  viewBackend,
} from "./index.server.ts";

let desk: Desk;
let vault: Vault;

beforeAll(async () => {
  desk = await openDesk();
  vault = desk.vault;
});
afterAll(() => desk.base.drop());

const credentials = (mark: string) => ({
  url: `https://${mark}.supabase.co`,
  anonKey: `anon-${mark}-0123456789`,
  serviceRoleKey: `service-${mark}-0123456789`,
  databaseUrl: `postgresql://postgres.${mark}:pw@host/postgres`,
});
const attach = (
  request: RequestRow,
  ref: string,
  mark = ref,
  status: "offered" | "building" = "building",
) =>
  desk.as(desk.kim, (tx) =>
    attachBackend({ tx, actor: desk.kim, vault }, request, credentials(mark), { ref, status }),
  );
const open = (backend: Backend) =>
  vault.use(
    { db: desk.base.db, actor: desk.worker },
    backendSecret(backend),
    "test",
    async (fields) => ({ ...fields }),
  );
const inUse = (ref: string, except?: string) =>
  desk.as(desk.kim, (tx) => isProjectInUse(tx, ref, except));
const purge = (limit?: number) =>
  desk.as(desk.worker, (tx) => purgeRetiredSecrets({ tx, actor: desk.worker }, limit));
const destroyed = async () =>
  (
    await desk.base.admin.query(
      "select subject_id from audit_log where action = 'secret.destroy' order by id",
    )
  ).rows.map((row) => row.subject_id);

describe("a project", () => {
  it("is given to one request, sealed; its URL alone is no secret", async () => {
    const request = await desk.request();
    const backend = await attach(request, "one");
    expect(backend).toMatchObject({ projectRef: "one", status: "building", generation: 1 });
    const { url: _, ...secrets } = credentials("one");
    expect(await open(backend)).toEqual(secrets);
    expect([await inUse("one"), await inUse("one", request.id)]).toEqual([true, false]);
    expect(await inUse("another")).toBe(false);
    const view = await desk.as(desk.kim, (tx) => viewBackend(tx, vault, request.id));
    expect(view).toMatchObject({ projectRef: "one", url: "https://one.supabase.co" });
    expect(view?.credentials.map(({ field }) => field)).toEqual([
      "anonKey",
      "databaseUrl",
      "serviceRoleKey",
    ]);
    for (const secret of Object.values(secrets)) {
      expect(JSON.stringify(view)).not.toContain(secret);
    }
  });

  it("goes to one of two requests that want it at once, and the other is left as it was", async () => {
    for (let round = 0; round < 10; round += 1) {
      const ref = `race${round}`;
      const requests = [await desk.request(), await desk.request()];
      const attempts = await Promise.allSettled(requests.map((request) => attach(request, ref)));
      const lost = attempts.findIndex(({ status }) => status === "rejected");
      expect(attempts.filter(({ status }) => status === "rejected")).toHaveLength(1);
      expect((attempts[lost] as PromiseRejectedResult).reason).toBeInstanceOf(ProjectInUseError);
      const left = await desk.as(desk.kim, (tx) => liveBackendOf(tx, requests[lost]?.id ?? ""));
      expect(left).toBeNull();
      const { rows } = await desk.base.admin.query(
        `select count(distinct k.backend_id)::int as keys from data_keys k
         join customer_backends b on b.id = k.backend_id where b.project_ref = $1`,
        [ref],
      );
      expect(rows).toEqual([{ keys: 1 }]);
    }
  });

  it("that is given again gets another generation, and keeps its place", async () => {
    const request = await desk.request();
    const offered = await attach(request, "again", "first", "offered");
    expect(offered.status).toBe("offered");
    const taken = await attach(request, "again", "second");
    expect(taken).toMatchObject({ id: offered.id, status: "building", generation: 2 });
    expect((await open(taken)).anonKey).toBe(credentials("second").anonKey);
  });

  it("makes room for another one of the same request, and is free for somebody else", async () => {
    const request = await desk.request();
    const first = await attach(request, "old");
    const second = await attach(request, "new");
    expect(second.id).not.toBe(first.id);
    expect([await inUse("old"), await inUse("new")]).toEqual([false, true]);
    expect((await desk.as(desk.kim, (tx) => liveBackendOf(tx, request.id)))?.id).toBe(second.id);
    expect((await attach(await desk.request(), "old")).projectRef).toBe("old");
  });

  it("that a request does not get leaves it the one that it has", async () => {
    const request = await desk.request();
    const mine = await attach(request, "mine");
    await attach(await desk.request(), "theirs");
    await expect(attach(request, "theirs")).rejects.toThrow(ProjectInUseError);
    expect((await desk.as(desk.kim, (tx) => liveBackendOf(tx, request.id)))?.id).toBe(mine.id);
    expect((await open(mine)).anonKey).toBe(credentials("mine").anonKey);
  });
});

describe("what was sealed for a retired backend", () => {
  const retire = (backend: Backend) =>
    desk.as(desk.kim, (tx) => retireBackend({ tx, actor: desk.kim }, backend, "cancelled"));

  it("is destroyed with all its generations, once, and that is recorded", async () => {
    while ((await purge()) > 0);
    const request = await desk.request();
    await attach(request, "gone", "first");
    const backend = await attach(request, "gone", "second");
    const kept = await attach(await desk.request(), "kept");
    const before = (await destroyed()).length;
    expect(await purge()).toBe(0);
    await retire(backend);
    await Promise.all([purge(), purge(), purge()]);
    expect((await destroyed()).slice(before)).toEqual([backend.id]);
    const { rows } = await desk.base.admin.query(
      "select backend_id from data_keys where backend_id = any($1) union all select backend_id from sealed_secrets where backend_id = $2",
      [[backend.id, kept.id], backend.id],
    );
    expect(rows).toEqual([{ backend_id: kept.id }]);
    for (const generation of [1, 2]) {
      await expect(open({ ...backend, generation })).rejects.toThrow(SecretMissingError);
    }
    expect((await open(kept)).anonKey).toBe(credentials("kept").anonKey);
  });

  it("goes in bounded rounds", async () => {
    while ((await purge()) > 0);
    for (let count = 0; count < 5; count += 1) {
      await retire(await attach(await desk.request(), `round${count}`));
    }
    const before = (await destroyed()).length;
    expect(await purge(2)).toBe(2);
    expect((await destroyed()).length - before).toBe(2);
    while ((await purge(2)) > 0);
    expect((await destroyed()).length - before).toBe(5);
  });
});
