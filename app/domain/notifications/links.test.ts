import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import {
  createLink,
  findLink,
  LinkNotValidError,
  LinkReplacedError,
  linkToken,
  spendLink,
} from "./index.server.ts";
import type { LinkPurpose } from "./links.ts";

let desk: Desk;
let requestId: string;
const key = randomBytes(32);

beforeAll(async () => {
  desk = await openDesk();
  requestId = (await desk.request()).id;
});
afterEach(() => desk.base.shiftClock("0"));
afterAll(() => desk.base.drop());

const create = (purpose: LinkPurpose = "set-password") =>
  desk.as(desk.kim, (tx) => createLink(tx, { purpose, subjectId: "account-1", requestId }));
const find = (token: string, purpose: LinkPurpose = "set-password", by = key) =>
  desk.as(desk.worker, (tx) => findLink(tx, by, purpose, token));
const spend = (id: string, purpose: LinkPurpose = "set-password") =>
  desk.as(desk.worker, (tx) => spendLink({ tx, actor: desk.worker }, { id, purpose }));

describe("a link of one use", () => {
  it("is found as often as it is opened, and used once", async () => {
    const id = await create();
    const token = linkToken(key, id);
    for (let opened = 0; opened < 3; opened += 1) {
      expect(await find(token)).toMatchObject({ id, subjectId: "account-1", usedAt: null });
    }
    await spend(id);
    await expect(find(token)).rejects.toThrow(LinkNotValidError);
    await expect(spend(id)).rejects.toThrow(LinkNotValidError);
    const { rows } = await desk.base.admin.query(
      "select action, request_id, actor_id from audit_log where subject_id = $1",
      [id],
    );
    expect(rows).toEqual([
      { action: "link.set-password.use", request_id: requestId, actor_id: "worker-1" },
    ]);
  });

  it("is used by one of many at once", async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = await create("owner");
      const attempts = await Promise.allSettled(
        Array.from({ length: 6 }, () => spend(id, "owner")),
      );
      const lost = attempts.filter((attempt) => attempt.status === "rejected");
      expect(lost).toHaveLength(5);
      for (const { reason } of lost) expect(reason).toBeInstanceOf(LinkNotValidError);
    }
  });

  it("is refused when it is altered anywhere, forged, or made with another key", async () => {
    const id = await create();
    const other = await create();
    const token = linkToken(key, id);
    const [, mac] = token.split(".");
    const altered = Array.from({ length: token.length }, (_, at) => {
      const sign = token[at] === "A" ? "B" : "A";
      return token.slice(0, at) + sign + token.slice(at + 1);
    });
    const forged = [
      "",
      ".",
      id,
      `${id}.`,
      `.${mac}`,
      `${other}.${mac}`,
      `${id}.${"A".repeat(43)}`,
      `${token}.`,
      `${token}.x`,
      ` ${token}`,
      `${token} `,
      token.toUpperCase(),
      token.slice(0, -1),
      `${token}A`,
      linkToken(randomBytes(32), id),
      linkToken(key, "not-an-id"),
      linkToken(key, "' or 1=1 --"),
      "\0",
      "x".repeat(10_000),
    ];
    for (const attempt of [...altered, ...forged]) {
      await expect(find(attempt), attempt.slice(0, 100)).rejects.toThrow(LinkNotValidError);
    }
    expect((await find(token)).id).toBe(id);
  });

  it("opens nothing but what it is for", async () => {
    const id = await create("owner");
    await expect(find(linkToken(key, id), "set-password")).rejects.toThrow(LinkNotValidError);
    await expect(spend(id, "set-password")).rejects.toThrow(LinkNotValidError);
    expect((await find(linkToken(key, id), "owner")).purpose).toBe("owner");
  });

  it("to the owner ends with the next one, of the same backend alone, and says so", async () => {
    const owner = (subjectId: string) =>
      desk.as(desk.worker, (tx) => createLink(tx, { purpose: "owner", subjectId, requestId }));
    const [first, other] = [await owner("backend-1"), await owner("backend-2")];
    expect((await find(linkToken(key, first), "owner")).id).toBe(first);
    const second = await owner("backend-1");
    await expect(find(linkToken(key, first), "owner")).rejects.toThrow(LinkReplacedError);
    await expect(spend(first, "owner")).rejects.toThrow(LinkNotValidError);
    await spend(other, "owner");
    await spend(second, "owner");
    await expect(find(linkToken(key, other), "owner")).rejects.toThrow("has been used");
    await expect(find(linkToken(key, first), "owner")).rejects.toThrow(LinkReplacedError);
    // Who asks for a password twice may open either mail: the first used ends both.
    const [one, two] = [await create(), await create()];
    for (const id of [one, two]) expect((await find(linkToken(key, id))).id).toBe(id);
  });

  it.each([
    ["set-password", "6 days 23 hours", "7 days 1 second"],
    ["owner", "13 days 23 hours", "14 days 1 second"],
  ] as const)("for %s lives for %s and not for %s", async (purpose, within, beyond) => {
    const id = await create(purpose);
    await desk.base.shiftClock(within);
    expect((await find(linkToken(key, id), purpose)).id).toBe(id);
    await desk.base.shiftClock(beyond);
    await expect(find(linkToken(key, id), purpose)).rejects.toThrow(LinkNotValidError);
    await expect(spend(id, purpose)).rejects.toThrow(LinkNotValidError);
  });

  it("stands in no row as what opens it", async () => {
    const token = linkToken(key, await create());
    const secret = token.split(".")[1] ?? "";
    const { rows } = await desk.base.admin.query("select l::text as row from one_time_links l");
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter(({ row }) => row.includes(secret))).toEqual([]);
  });
});
