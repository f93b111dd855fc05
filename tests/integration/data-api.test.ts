/**
 * What a customer's own program does with the backend that it was given: supabase-js signs people
 * in, and reads and writes through the policies of the tables.
 */
import { randomUUID } from "node:crypto";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  claimedRequest,
  credentialsOf,
  newCustomer,
  postPage,
  type RunningBerth,
  type SandboxProject,
  settled,
  sharedBerth,
} from "../support/shared-berth.ts";

const PASSWORD = "canary lantern harbour 7351";
const TABLES = [
  "company_settings",
  "locations",
  "members",
  "products",
  "stock_levels",
  "stock_movements",
  "registers",
  "sales",
  "receipts",
];

let berth: RunningBerth;
let project: SandboxProject;
const { email } = newCustomer();
/** Once signed in. */
let owner: SupabaseClient;

beforeAll(async () => {
  berth = await sharedBerth();
  project = await berth.sandbox.project({ name: "data-api" });
  const requestId = await claimedRequest(berth.api, {
    email,
    company: "Lantern & Sons",
    features: ["inventory", "pos"],
  });
  const credentials = credentialsOf(project);
  const submitted = await berth.api("POST", `/api/queue/${requestId}/credentials`, credentials);
  expect(submitted.status).toBe(200);
  const request = await settled(berth.api, requestId);
  expect(request.failure).toBeNull();
  expect(request.status).toBe("completed");
});
afterAll(() => berth?.stop());

const client = (key: string) =>
  createClient(project.url, key, { auth: { persistSession: false, autoRefreshToken: false } });

/** Somebody with a valid account, signed in; no member of the company. */
async function account(address: string): Promise<{ own: SupabaseClient; id: string }> {
  const { admin } = client(project.secretKey).auth;
  const made = await admin.createUser({ email: address, password: PASSWORD, email_confirm: true });
  expect(made.error).toBeNull();
  const own = client(project.publishableKey);
  const signedIn = await own.auth.signInWithPassword({ email: address, password: PASSWORD });
  expect(signedIn.error).toBeNull();
  return { own, id: `${made.data.user?.id}` };
}

/** The answer, which must not be an error. */
async function good<T>(asked: PromiseLike<{ data: T; error: unknown }>): Promise<NonNullable<T>> {
  const { data, error } = await asked;
  expect(error).toBeNull();
  return data as NonNullable<T>;
}

const refused = { status: 403, data: null, error: { code: "42501" } };
const refusedToAnon = { ...refused, status: 401 };

describe("the invited owner", () => {
  it("follows the invitation, sets a password, and signs in with it", async () => {
    const mail = await berth.mail(email, /is ready/);
    const link = /http\S+\/owner\?token=\S+/.exec(mail.text)?.[0] ?? "";
    const pressed = await postPage(link, { redirect: "manual" });
    const verified = await fetch(`${pressed.headers.get("location")}`, { redirect: "manual" });
    const { hash } = new URL(`${verified.headers.get("location")}`);
    const tokens = new URLSearchParams(hash.slice(1));

    const invited = client(project.anonKey);
    const session = await invited.auth.setSession({
      access_token: `${tokens.get("access_token")}`,
      refresh_token: `${tokens.get("refresh_token")}`,
    });
    expect(session.error).toBeNull();
    expect((await invited.auth.updateUser({ password: PASSWORD })).error).toBeNull();

    owner = client(project.anonKey);
    const signedIn = await owner.auth.signInWithPassword({ email, password: PASSWORD });
    expect(signedIn.error).toBeNull();
    expect(signedIn.data.user).toMatchObject({ email, app_metadata: { berth_role: "owner" } });
  });

  it("reads the company's settings, and changes what an owner may change", async () => {
    const settings = () => owner.from("company_settings");
    expect(await good(settings().select())).toMatchObject([{ id: true }]);
    const named = await good(
      settings().update({ name: "Lantern" }).eq("id", true).select().single(),
    );
    expect(named).toMatchObject({ name: "Lantern" });
    expect(await settings().insert({ name: "Another" })).toMatchObject(refused);
    expect(await settings().delete().eq("id", true)).toMatchObject(refused);
    expect(await settings().update({ currency: "euro" }).eq("id", true)).toMatchObject({
      status: 400,
      error: { code: "23514" },
    });
    expect(await good(settings().select("name"))).toEqual([{ name: "Lantern" }]);
    expect(await good(owner.from("members").select("role"))).toEqual([{ role: "owner" }]);
  });

  it("inserts, reads, updates and deletes", async () => {
    const locations = () => owner.from("locations");
    const made = await good(
      locations().insert({ code: "SHOP-2", name: "Second shop", country: "DE" }).select().single(),
    );
    expect(made).toMatchObject({ code: "SHOP-2", active: true });
    const changed = await good(
      locations().update({ name: "Harbour" }).eq("id", made.id).select("code,name"),
    );
    expect(changed).toEqual([{ code: "SHOP-2", name: "Harbour" }]);
    expect(await locations().insert({ code: "SHOP-2", name: "Twice" })).toMatchObject({
      status: 409,
      error: { code: "23505" },
    });
    expect(await good(locations().delete().eq("id", made.id).select("code"))).toEqual([
      { code: "SHOP-2" },
    ]);
    expect(await good(locations().select().eq("code", "SHOP-2"))).toEqual([]);
  });

  it("sells: a product, its stock, a register, a sale by rpc", async () => {
    const location = await good(owner.from("locations").select("id").eq("code", "MAIN").single());
    const product = await good(
      owner
        .from("products")
        .insert({ sku: "LAMP-1", name: "Lamp", price: 12, tax_rate: 0.2 })
        .select()
        .single(),
    );
    const { currency } = await good(owner.from("company_settings").select("currency").single());
    expect(product).toMatchObject({ price: 12, currency, tax_rate: 0.2 });
    const place = { product_id: product.id, location_id: location.id };
    await good(owner.from("stock_movements").insert({ ...place, kind: "receipt", quantity: 10 }));
    const till = await good(
      owner
        .from("registers")
        .insert({ location_id: location.id, code: "TILL-1", name: "Till" })
        .select("id")
        .single(),
    );
    const session = await good(
      owner.rpc("open_register", { register_id: till.id, opening_cash: 100 }),
    );
    const sale = {
      client_token: randomUUID(),
      session_id: session,
      lines: [{ product_id: product.id, quantity: 2 }],
      payments: [{ method: "cash", amount: 24, tendered: 30 }],
    };
    const sold = await good(owner.rpc("complete_sale", sale));
    expect(sold).toMatchObject({ receipt_number: 1, total: 24, currency });
    expect(await good(owner.rpc("complete_sale", sale))).toEqual(sold);
    expect(await good(owner.from("sales").select("total,tax_total"))).toEqual([
      { total: 24, tax_total: 4 },
    ]);
    const stock = owner.from("stock_levels").select("quantity").eq("product_id", product.id);
    expect(await good(stock)).toEqual([{ quantity: 8 }]);
    // A record is corrected by new ones.
    expect(await owner.from("sales").update({ total: 1 }).eq("total", 24)).toMatchObject(refused);
    expect(await owner.from("sales").delete().eq("total", 24)).toMatchObject(refused);
  });
});

/** What everybody tries to write. */
const writes = (by: SupabaseClient) => [
  by.from("locations").insert({ code: "MINE", name: "Mine" }),
  by.from("products").insert({ sku: "MINE", name: "Mine" }),
  by.from("members").insert({ user_id: randomUUID(), role: "owner" }),
  by.from("registers").insert({ location_id: randomUUID(), code: "MINE", name: "Mine" }),
  by.rpc("open_register", { register_id: randomUUID(), opening_cash: 0 }),
  by.rpc("complete_sale", {
    client_token: randomUUID(),
    session_id: randomUUID(),
    lines: [],
    payments: [],
  }),
];
/** What everybody tries to change or remove of what is there. */
const changes = (by: SupabaseClient) => [
  by.from("company_settings").update({ name: "Mine" }).eq("id", true).select(),
  by.from("locations").update({ name: "Mine" }).eq("code", "MAIN").select(),
  by.from("products").update({ price: 0 }).eq("sku", "LAMP-1").select(),
  by.from("products").delete().eq("sku", "LAMP-1").select(),
  by.from("members").update({ active: false }).eq("role", "owner").select(),
  by.from("members").delete().eq("role", "owner").select(),
  by.from("registers").delete().eq("code", "TILL-1").select(),
];

/** What the owner sees, by table. */
async function seenByOwner() {
  const rows = TABLES.map(
    async (table) => [table, await good(owner.from(table).select())] as const,
  );
  return new Map(await Promise.all(rows));
}

describe("others", () => {
  let before: Awaited<ReturnType<typeof seenByOwner>>;
  beforeAll(async () => {
    before = await seenByOwner();
    for (const table of TABLES) expect(before.get(table), table).not.toEqual([]);
  });

  it("anon sees nothing, and is refused", async () => {
    for (const anon of [client(project.anonKey), client(project.publishableKey)]) {
      const reads = TABLES.map((table) => anon.from(table).select());
      for (const answer of await Promise.all([...reads, ...writes(anon), ...changes(anon)])) {
        expect(answer).toMatchObject(refusedToAnon);
      }
    }
  });

  it("a stranger with a valid account sees nothing, and is refused", async () => {
    const { own: stranger } = await account(`stranger-${randomUUID()}@example.com`);
    for (const table of TABLES) {
      expect(await good(stranger.from(table).select()), table).toEqual([]);
    }
    for (const answer of await Promise.all(writes(stranger))) expect(answer).toMatchObject(refused);
    for (const answer of await Promise.all(changes(stranger))) {
      expect(answer).toMatchObject({ error: null, data: [] });
    }
  });

  it("a viewer whom the owner took in reads, and writes nothing", async () => {
    const { own: viewer, id } = await account(`viewer-${randomUUID()}@example.com`);
    await good(owner.from("members").insert({ user_id: id, role: "viewer" }));
    for (const table of TABLES) {
      expect(await good(viewer.from(table).select()), table).toEqual(
        await good(owner.from(table).select()),
      );
    }
    expect(await good(viewer.from("products").select("sku"))).toEqual([{ sku: "LAMP-1" }]);
    for (const answer of await Promise.all(writes(viewer))) expect(answer).toMatchObject(refused);
    for (const answer of await Promise.all(changes(viewer))) {
      expect(answer).toMatchObject({ error: null, data: [] });
    }
  });

  it("nothing of what was refused was done", async () => {
    const members = new Set(["viewer", "owner"]);
    const after = await seenByOwner();
    for (const table of TABLES) {
      if (table !== "members") expect(after.get(table), table).toEqual(before.get(table));
    }
    expect(new Set(after.get("members")?.map(({ role }) => role))).toEqual(members);
    expect(after.get("members")).toHaveLength(2);
  });
});
