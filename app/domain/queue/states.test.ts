import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { provisioningQueue, REQUEST_STATUSES } from "#db/queue.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { isOpenSql } from "../sla/index.server.ts";
import {
  EDGES,
  lockRequest,
  moveRequest,
  OPEN,
  RequestChangedError,
  RequestNotFoundError,
  type RequestStatus,
  WrongStateError,
} from "./index.server.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.base.drop());

const edges = REQUEST_STATUSES.flatMap((from) => EDGES[from].map((to) => `${from} → ${to}`)).sort();
const pairs = REQUEST_STATUSES.flatMap((from) =>
  REQUEST_STATUSES.filter((to) => to !== from).map((to) => [from, to] as const),
);
const isEdge = (from: RequestStatus, to: RequestStatus) => edges.includes(`${from} → ${to}`);

const move = (id: string, to: RequestStatus) =>
  desk.as(desk.worker, async (tx) => {
    const request = await lockRequest(tx, id);
    return moveRequest({ tx, actor: desk.worker }, request, to, { event: "tried" });
  });

describe("the edges of a request's life", () => {
  it("are those of the design", () => {
    expect(edges).toEqual(
      [
        "pending → in_progress",
        "in_progress → credentials_received",
        "credentials_received → migrating",
        "migrating → completed",
        "in_progress → waiting_on_customer",
        "waiting_on_customer → in_progress",
        "migrating → failed",
        "failed → migrating",
        "failed → in_progress",
        "in_progress → pending",
        "pending → cancelled",
        "in_progress → cancelled",
        "waiting_on_customer → cancelled",
        "failed → cancelled",
        "pending → migrating",
        "in_progress → migrating",
      ].sort(),
    );
  });

  it("are the same in the database", async () => {
    const { rows } = await desk.base.admin.query("select before, after from request_edges");
    expect(rows.map(({ before, after }) => `${before} → ${after}`).sort()).toEqual(edges);
  });

  it("lead out of what is open, and the queries hold the same states for open", async () => {
    expect(OPEN).toEqual(REQUEST_STATUSES.filter((status) => EDGES[status].length > 0));
    const { id } = await desk.request();
    const found = [];
    for (const status of REQUEST_STATUSES) {
      await desk.plant(id, { status });
      const [row] = await desk.as(desk.worker, (tx) =>
        tx
          .select({ isOpen: isOpenSql })
          .from(provisioningQueue)
          .where(eq(provisioningQueue.id, id)),
      );
      if (row?.isOpen) found.push(status);
    }
    expect(found.sort()).toEqual([...OPEN].sort());
  });

  it("are refused or taken by the domain as the table says, each pair", async () => {
    for (const [from, to] of pairs) {
      const { id } = await desk.request();
      await desk.plant(id, { status: from });
      const attempt = move(id, to);
      if (isEdge(from, to)) {
        expect((await attempt).status, `${from} → ${to}`).toBe(to);
      } else {
        await expect(attempt, `${from} → ${to}`).rejects.toThrow(WrongStateError);
      }
    }
  });

  it("are refused or taken by the database as the table says, each pair, by raw SQL", async () => {
    const { id } = await desk.request();
    for (const [from, to] of pairs) {
      await desk.plant(id, { status: from });
      for (const actor of [desk.kim, desk.worker, { ...desk.kim, kind: "staff" as const }]) {
        const outcome = await desk
          .as(actor, async (tx) => {
            await tx.execute(
              sql`update provisioning_queue set status = ${to}, version = version + 1 where id = ${id}`,
            );
            tx.rollback();
          })
          .catch((error) => error.cause?.code ?? error.constructor.name);
        const wanted = isEdge(from, to) ? "TransactionRollbackError" : "23514";
        expect(outcome, `${actor.kind}: ${from} → ${to}`).toBe(wanted);
      }
    }
  });

  it("begin at pending, by raw SQL too", async () => {
    const { id } = await desk.request();
    for (const status of REQUEST_STATUSES) {
      const outcome = await desk
        .as(desk.kim, async (tx) => {
          await tx.execute(sql`
            insert into provisioning_queue (id, customer_id, plan_id, billing_cycle, region, features, priority, status)
            select gen_random_uuid(), customer_id, plan_id, billing_cycle, region, features, priority, ${status}
            from provisioning_queue where id = ${id}`);
          tx.rollback();
        })
        .catch((error) => error.cause?.code ?? error.constructor.name);
      expect(outcome, status).toBe(status === "pending" ? "TransactionRollbackError" : "23514");
    }
  });
});

describe("a move", () => {
  it("is a compare-and-set: of two from the same reading one wins, the other may try again", async () => {
    const { id } = await desk.request();
    const reading = await desk.as(desk.kim, (tx) => lockRequest(tx, id));
    const attempts = await Promise.allSettled(
      [desk.kim, desk.lou].map((actor) =>
        desk.as(actor, (tx) =>
          moveRequest({ tx, actor }, reading, "cancelled", { event: "cancelled" }),
        ),
      ),
    );
    const [lost] = attempts.filter((attempt) => attempt.status === "rejected");
    expect(attempts.filter((attempt) => attempt.status === "fulfilled")).toHaveLength(1);
    expect(lost?.reason).toBeInstanceOf(RequestChangedError);
    expect(lost?.reason.retryable).toBe(true);
    const { rows } = await desk.base.admin.query(
      "select 1 from request_events where request_id = $1 and kind = 'cancelled'",
      [id],
    );
    expect(rows).toHaveLength(1);
  });

  it("says what is needed where there is no such edge", async () => {
    const { id } = await desk.request();
    await desk.plant(id, { status: "completed" });
    await expect(move(id, "migrating")).rejects.toMatchObject({
      code: "request_wrong_state",
      found: "completed",
      needed: "pending or in_progress or credentials_received or failed",
    });
  });

  it("of a request that is not there is refused", async () => {
    await expect(move("00000000-0000-7000-8000-000000000000", "cancelled")).rejects.toThrow(
      RequestNotFoundError,
    );
  });
});
