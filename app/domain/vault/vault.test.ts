import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { UnsealError } from "#app/platform/crypto/aes-gcm.ts";
import { type Actor, asActor } from "#db/index.ts";
import { createTestDatabase, type TestDatabase } from "../../../tests/support/database.ts";
import {
  createKeyring,
  createVault,
  generateKey,
  KeyringError,
  type MasterKey,
  SecretMissingError,
  SecretNotStorableError,
  UnknownFormatError,
  UnknownKeyError,
  type Vault,
  WrongKeyError,
} from "./index.server.ts";

let base: TestDatabase;
let vault: Vault;
const actor: Actor = { kind: "worker", id: "w1", origin: "", correlationId: "c1" };
const newest: MasterKey = { id: "k2", key: randomBytes(32) };
const older: MasterKey = { id: "k1", key: randomBytes(32) };
const fingerprintKey = randomBytes(32);
const vaultOf = (...keys: MasterKey[]) => createVault(createKeyring(keys), fingerprintKey);

const backend = (digit: string) => `00000000-0000-7000-8000-00000000000${digit}`;
const credentials = {
  anonKey: "anon-key-of-some-length-AAAA",
  serviceRoleKey: "service-key-of-some-length-SSSS",
};

const seal = (digit: string, generation: number, fields: Record<string, string> = credentials) =>
  asActor(base.db, actor, (tx) =>
    vault.seal({ tx, actor }, { backendId: backend(digit), generation }, "backend", fields),
  );
const use = (digit: string, generation = 1, by: Vault = vault) =>
  by.use({ db: base.db, actor }, { backendId: backend(digit), generation }, "run", async (fields) =>
    Promise.resolve({ ...fields }),
  );
const audited = async (action: string) =>
  (await base.admin.query("select * from audit_log where action = $1 order by id", [action])).rows;

beforeAll(async () => {
  base = await createTestDatabase();
  vault = vaultOf(newest, older);
});
beforeEach(() => base.admin.query("truncate data_keys, sealed_secrets, vault_canaries"));
afterAll(() => base.drop());

describe("sealing and using", () => {
  it("gives back all fields of one generation, and of no other", async () => {
    await seal("a", 1);
    await seal("a", 2, { anonKey: "the next one" });
    await seal("b", 1, { anonKey: "somebody else's" });
    expect(await use("a")).toEqual(credentials);
    expect(await use("a", 2)).toEqual({ anonKey: "the next one" });
    expect(await use("b")).toEqual({ anonKey: "somebody else's" });
    await expect(use("a", 3)).rejects.toThrow(SecretMissingError);
    await expect(use("c")).rejects.toThrow(SecretMissingError);
  });

  it("keeps nothing readable, and one data key for each generation", async () => {
    await seal("a", 1);
    await seal("a", 2);
    const { rows } = await base.admin.query(
      "select d::text || s::text as row from data_keys d, sealed_secrets s",
    );
    const hex = (text: string) => Buffer.from(text).toString("hex");
    for (const secret of Object.values(credentials)) {
      expect(rows.filter(({ row }) => row.includes(secret) || row.includes(hex(secret)))).toEqual(
        [],
      );
    }
    const { rows: keys } = await base.admin.query("select distinct wrapped, key_id from data_keys");
    expect(keys.map((row) => row.key_id)).toEqual(["k2", "k2"]);
  });

  it("seals all or nothing, with its record", async () => {
    const before = (await audited("secret.seal")).length;
    await expect(seal("a", 1, { ...credentials, extra: "\ud800" })).rejects.toThrow(
      SecretNotStorableError,
    );
    const { rows } = await base.admin.query("select 1 from data_keys");
    expect(rows).toEqual([]);
    expect(await audited("secret.seal")).toHaveLength(before);
    await seal("a", 1);
    const records = await audited("secret.seal");
    expect(records).toHaveLength(before + 1);
    expect(records.at(-1)).toMatchObject({ actor_id: "w1", subject_id: backend("a") });
    expect(records.at(-1).data.fields).toEqual(["anonKey", "serviceRoleKey"]);
    await expect(seal("a", 1)).rejects.toThrow();
  });

  it("records each use before it opens anything, also one that fails", async () => {
    await seal("a", 1);
    const before = (await audited("secret.use")).length;
    const seen = await vault.use(
      { db: base.db, actor, requestId: "r1" },
      { backendId: backend("a"), generation: 1 },
      "owner-link",
      async () => audited("secret.use"),
    );
    expect(seen).toHaveLength(before + 1);
    expect(seen.at(-1)).toMatchObject({
      actor_kind: "worker",
      actor_id: "w1",
      subject_id: backend("a"),
      request_id: "r1",
      correlation_id: "c1",
      data: { generation: 1, purpose: "owner-link" },
    });
    await base.admin.query("update data_keys set wrapped = wrapped || '\\x00'");
    await expect(use("a")).rejects.toThrow(UnsealError);
    expect(await audited("secret.use")).toHaveLength(before + 2);
  });

  it("opens nothing where it cannot be recorded", async () => {
    await seal("a", 1);
    const customer: Actor = { ...actor, kind: "customer" };
    let opened = false;
    const attempt = vault.use(
      { db: base.db, actor: customer },
      { backendId: backend("a"), generation: 1 },
      "run",
      async () => {
        opened = true;
      },
    );
    await expect(attempt).rejects.toThrow();
    expect(opened).toBe(false);
  });

  it("shows the last four characters and a fingerprint, and of short ones no character", async () => {
    const fields = { long: "xxxxxxxxxxxxwxyz", short: "xxxxxxxxxxxwxyz", tiny: "pw" };
    await seal("a", 1, fields);
    await seal("b", 1, fields);
    await seal("c", 1, { ...fields, long: `y${fields.long}` });
    const traces = (digit: string) =>
      asActor(base.db, actor, (tx) =>
        vault.traces(tx, { backendId: backend(digit), generation: 1 }),
      );
    const [long, short, tiny] = await traces("a");
    expect(long).toEqual({
      field: "long",
      lastFour: "wxyz",
      fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/),
    });
    expect([short?.lastFour, tiny?.lastFour]).toEqual(["", ""]);
    expect(await traces("b")).toEqual([long, short, tiny]);
    expect((await traces("c"))[0]?.fingerprint).not.toBe(long?.fingerprint);
    const elsewhere = createVault(createKeyring([newest]), randomBytes(32));
    await asActor(base.db, actor, (tx) =>
      elsewhere.seal({ tx, actor }, { backendId: backend("d"), generation: 1 }, "backend", fields),
    );
    expect((await traces("d"))[0]?.fingerprint).not.toBe(long?.fingerprint);
  });
});

describe("rows that were moved or changed", () => {
  const swap = (table: string, column: string, one: string, other: string) => `
    update ${table} t set ${column} = o.${column} from ${table} o
    where (${one.replaceAll("@", "t")} and ${other.replaceAll("@", "o")})
       or (${other.replaceAll("@", "t")} and ${one.replaceAll("@", "o")})`;
  const at = (digit: string, generation: number, field?: string) =>
    `@.backend_id = '${backend(digit)}' and @.generation = ${generation}${field ? ` and @.field = '${field}'` : ""}`;
  const BREAKS: [string, string, new (...data: never[]) => Error][] = [
    [
      "two fields",
      swap("sealed_secrets", "sealed", at("a", 1, "anonKey"), at("a", 1, "serviceRoleKey")),
      UnsealError,
    ],
    [
      "two backends' fields",
      swap("sealed_secrets", "sealed", at("a", 1, "anonKey"), at("b", 1, "anonKey")),
      UnsealError,
    ],
    [
      "two generations' fields",
      swap("sealed_secrets", "sealed", at("a", 1, "anonKey"), at("a", 2, "anonKey")),
      UnsealError,
    ],
    [
      "the data keys of two backends",
      swap("data_keys", "wrapped", at("a", 1), at("b", 1)),
      UnsealError,
    ],
    [
      "the data keys of two generations",
      swap("data_keys", "wrapped", at("a", 1), at("a", 2)),
      UnsealError,
    ],
    ["the purpose", "update sealed_secrets set purpose = 'other'", UnsealError],
    ["a field's name", "update sealed_secrets set field = field || '2'", UnsealError],
    ["the key's id, to one that is known", "update data_keys set key_id = 'k1'", UnsealError],
    ["the key's id, to one that is not", "update data_keys set key_id = 'k9'", UnknownKeyError],
    [
      "the format's version",
      "update data_keys set wrapped = set_byte(wrapped, 0, 2)",
      UnknownFormatError,
    ],
    [
      "the format's version of a field",
      "update sealed_secrets set sealed = set_byte(sealed, 0, 2)",
      UnknownFormatError,
    ],
    [
      "everything of one backend, put in another's place",
      `delete from data_keys where backend_id = '${backend("b")}';
       delete from sealed_secrets where backend_id = '${backend("b")}';
       insert into data_keys select '${backend("b")}', generation, key_id, wrapped from data_keys where generation = 1;
       insert into sealed_secrets select '${backend("b")}', generation, field, purpose, sealed, last_four, fingerprint from sealed_secrets where generation = 1`,
      UnsealError,
    ],
  ];

  it.each(BREAKS)("are refused: %s", async (_, statement, wanted) => {
    await seal("a", 1);
    await seal("a", 2);
    await seal("b", 1);
    await base.admin.query(statement);
    const reads = await Promise.allSettled([use("a", 1), use("a", 2), use("b", 1)]);
    const refused = reads.filter((read) => read.status === "rejected");
    expect(refused.length).toBeGreaterThan(0);
    for (const { reason } of refused) expect(reason).toBeInstanceOf(wanted);
    for (const read of reads) {
      if (read.status === "fulfilled") expect(read.value).toEqual(credentials);
    }
  });
});

describe("the keys at boot", () => {
  const verify = (...keys: MasterKey[]) => vaultOf(...keys).verifyKeys(base.db, actor);
  const canaries = async () =>
    (await base.admin.query("select key_id from vault_canaries order by key_id")).rows.map(
      (row) => row.key_id,
    );

  it("leave a canary each at the first boot, and pass at the next", async () => {
    await verify(newest, older);
    expect(await canaries()).toEqual(["k1", "k2"]);
    await verify(newest, older);
    await verify({ id: "k3", key: randomBytes(32) }, older, newest);
    expect(await canaries()).toEqual(["k1", "k2", "k3"]);
  });

  it("are refused with the wrong bytes under a known name", async () => {
    await verify(newest, older);
    await expect(verify({ id: "k2", key: randomBytes(32) }, older)).rejects.toThrow(WrongKeyError);
    await expect(verify(newest, { id: "k1", key: newest.key })).rejects.toThrow(/"k1"/);
  });

  it("are refused when one is missing, by its canary or by what it sealed", async () => {
    await verify(newest, older);
    await expect(verify(newest)).rejects.toThrow(UnknownKeyError);
    await base.admin.query("truncate vault_canaries");
    await seal("a", 1);
    await expect(verify(older)).rejects.toThrow(/"k2"/);
    expect(await canaries()).toEqual([]);
  });

  it("pass in many processes that boot at once, with one canary each", async () => {
    await Promise.all(Array.from({ length: 12 }, () => verify(newest, older)));
    expect(await canaries()).toEqual(["k1", "k2"]);
  });

  it("of two processes with other bytes under one name, that boot at once, let one pass", async () => {
    for (let round = 0; round < 10; round += 1) {
      await base.admin.query("truncate vault_canaries");
      const boots = await Promise.allSettled([
        verify({ id: "k", key: newest.key }),
        verify({ id: "k", key: older.key }),
      ]);
      const refused = boots.filter((boot) => boot.status === "rejected");
      expect(refused.map((boot) => boot.reason)).toEqual([expect.any(WrongKeyError)]);
    }
  });

  it("are well made, or no keyring", () => {
    expect(() => createKeyring([])).toThrow(KeyringError);
    expect(() => createKeyring([newest, { id: "k2", key: older.key }])).toThrow(KeyringError);
    expect(() => createKeyring([{ id: "short", key: randomBytes(16) }])).toThrow(KeyringError);
    const drawn = Array.from({ length: 20 }, () => generateKey(new Date("2026-10-01T12:00:00Z")));
    expect(new Set(drawn.map((entry) => entry.split(":")[1])).size).toBe(20);
    for (const entry of drawn) {
      expect(entry).toMatch(/^k20261001-[0-9a-f]{4}:/);
      expect(Buffer.from(entry.split(":")[1] ?? "", "base64")).toHaveLength(32);
    }
  });
});
