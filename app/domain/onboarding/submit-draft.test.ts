import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Actor } from "#db/index.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { askingOnly } from "../../../tests/support/questions.ts";
import { attachBackend, ProjectInUseError } from "../backends/index.server.ts";
import { type Catalog, ChoiceNotPossibleError } from "../catalog/index.server.ts";
import type { Vault } from "../vault/index.server.ts";
import { businessAnswer } from "./answers.ts";
import {
  DraftChangedError,
  findDraft,
  lastSubmitted,
  leaveToBerth,
  StepNotOpenError,
  saveBusiness,
  saveFeatures,
  savePlan,
  submitDraft,
} from "./index.server.ts";
import { keepProject } from "./own-project.ts";

let desk: Desk;
let vault: Vault;
/** Nothing is asked: settings.test.ts is about what is. */
let catalog: Catalog;
/** A new account for each test. */
let ann: Actor;

beforeAll(async () => {
  desk = await openDesk();
  vault = desk.vault;
  catalog = askingOnly(desk.catalog, {});
});
afterAll(() => desk.base.drop());
beforeEach(async () => {
  ann = await desk.newcomer();
});

const select = async (text: string, values: unknown[] = []) =>
  (await desk.base.admin.query(text, values)).rows;
const credentials = (mark: string) => ({
  url: `https://${mark}.supabase.co`,
  anonKey: `anon-${mark}-0123456789`,
  serviceRoleKey: `service-${mark}-0123456789`,
  databaseUrl: `postgresql://postgres.${mark}:pw@host/postgres`,
});
const answerAll = async (own?: string) => {
  const business = businessAnswer.parse({
    company: "Harbour Bakery",
    contactName: "Ann Example",
    phone: "+49 30 1234567",
    country: "DE",
    region: "eu-central-1",
    timezone: "Europe/Berlin",
    // What a forged form may add.
    status: "completed",
    assigneeId: "kim",
    priority: "vip",
  });
  await desk.as(ann, async (tx) => {
    const context = { tx, actor: ann, catalog, vault };
    await saveBusiness(context, business);
    await savePlan(context, { plan: "growth", billingCycle: "yearly" });
    await saveFeatures(context, ["pos"]);
    if (own === undefined) await leaveToBerth(context);
    else await keepProject(context, credentials(own), { ref: own, url: credentials(own).url });
  });
  return seen();
};
const draft = () => desk.as(ann, (tx) => findDraft(tx, ann.id));
const seen = async () => {
  const { id: draftId = "", version = 0 } = (await draft()) ?? {};
  return { draftId, version };
};
const submit = (what: { draftId: string; version: number }, actor = ann) =>
  desk.as(actor, (tx) => submitDraft({ tx, actor, catalog }, what, `${ann.id}@example.com`));
const requestsOfAnn = () =>
  select(
    `select q.* from provisioning_queue q join customers c on c.id = q.customer_id where c.user_id = $1`,
    [ann.id],
  );

describe("submitting a draft", () => {
  it("makes the customer, the request, its clock, timeline and mail, in the customer's name", async () => {
    const requestId = await submit(await answerAll());
    const [request] = await requestsOfAnn();
    expect(request).toMatchObject({
      id: requestId,
      plan_id: "growth",
      billing_cycle: "yearly",
      region: "eu-central-1",
      features: ["base", "inventory", "pos"],
      priority: "normal",
      status: "pending",
      assignee_id: null,
    });
    expect(request.due_at.getTime() - request.created_at.getTime()).toBe(48 * 3_600_000);
    expect(
      await select("select kind, started_at from request_clock_segments where request_id = $1", [
        requestId,
      ]),
    ).toEqual([{ kind: "running", started_at: request.created_at }]);
    expect(await select("select * from customers where user_id = $1", [ann.id])).toMatchObject([
      { company: "Harbour Bakery", email: `${ann.id}@example.com`, phone: "+49 30 1234567" },
    ]);
    expect(
      await select("select kind, actor_kind, actor_id from request_events where request_id = $1", [
        requestId,
      ]),
    ).toEqual([{ kind: "received", actor_kind: "customer", actor_id: ann.id }]);
    expect(
      await select("select kind, recipient, status, data from outbox where request_id = $1", [
        requestId,
      ]),
    ).toEqual([
      { kind: "received", recipient: `${ann.id}@example.com`, status: "waiting", data: {} },
    ]);
    const audited = await select(
      "select action, actor_kind from audit_log where actor_id = $1 and actor_kind <> 'account' order by id",
      [ann.id],
    );
    expect(audited).toEqual([
      { action: "customer.create", actor_kind: "customer" },
      { action: "request.received", actor_kind: "customer" },
    ]);
    expect(await draft()).toBeNull();
    expect(await desk.as(ann, (tx) => lastSubmitted(tx, ann.id))).toBe(requestId);
  });

  it("twice makes one request, at once or one after the other", async () => {
    const what = await answerAll();
    const ids = await Promise.all([submit(what), submit(what), submit(what), submit(what)]);
    expect(new Set(ids).size).toBe(1);
    expect(await submit(what)).toBe(ids[0]);
    expect(await requestsOfAnn()).toHaveLength(1);
  });

  it("of the same company again is the same customer with another request", async () => {
    await submit(await answerAll());
    await submit(await answerAll());
    expect(await requestsOfAnn()).toHaveLength(2);
    expect(await select("select 1 from customers where user_id = $1", [ann.id])).toHaveLength(1);
  });

  it("that is not all answered, or was changed since it was seen, is refused", async () => {
    await expect(
      submit({ draftId: "0193e3a4-0000-7000-8000-000000000000", version: 1 }),
    ).rejects.toThrow(StepNotOpenError);
    const what = await answerAll();
    await desk.as(ann, (tx) =>
      savePlan({ tx, actor: ann, catalog }, { plan: "business", billingCycle: "monthly" }),
    );
    await expect(submit(what)).rejects.toThrow(DraftChangedError);
    await desk.base.admin.query(
      "update onboarding_drafts set answers = answers - 'features' where user_id = $1",
      [ann.id],
    );
    await expect(submit(await seen())).rejects.toMatchObject({ step: "features" });
    expect(await requestsOfAnn()).toEqual([]);
  });

  it("of somebody else is not possible", async () => {
    const what = await answerAll();
    const eve = await desk.newcomer();
    await expect(submit(what, eve)).rejects.toThrow(StepNotOpenError);
    expect(await requestsOfAnn()).toEqual([]);
  });

  it("whose choice cannot be had any more leaves it as it was", async () => {
    const what = await answerAll();
    await desk.base.admin.query("update feature_templates set active = false where name = 'pos'");
    await expect(submit(what)).rejects.toThrow(ChoiceNotPossibleError);
    await desk.base.admin.query("update feature_templates set active = true");
    expect(await submit(what)).toBe((await requestsOfAnn())[0]?.id);
  });
});

describe("a customer's own project", () => {
  it("becomes the request's backend, under the id that it was sealed for", async () => {
    const what = await answerAll("adopted");
    const backendId = (await draft())?.backendId;
    const requestId = await submit(what);
    expect(
      await select(
        "select id, project_ref, url, status, generation from customer_backends where request_id = $1",
        [requestId],
      ),
    ).toEqual([
      {
        id: backendId,
        project_ref: "adopted",
        url: "https://adopted.supabase.co",
        status: "offered",
        generation: 1,
      },
    ]);
    const opened = await vault.use(
      { db: desk.base.db, actor: desk.worker },
      { backendId: backendId ?? "", generation: 1 },
      "test",
      async ({ anonKey }) => anonKey,
    );
    expect(opened).toBe(credentials("adopted").anonKey);
    // From now on what is sealed belongs to the house.
    const left = await desk.as(ann, async (tx) => [
      (await tx.execute("select field from sealed_secrets")).rows,
      (await tx.execute("delete from data_keys where true")).rowCount,
    ]);
    expect(left).toEqual([[], 0]);
  });

  it("that another backend took meanwhile is refused, and nothing is made", async () => {
    const what = await answerAll("taken");
    const other = await desk.request();
    await desk.as(desk.kim, (tx) =>
      attachBackend({ tx, actor: desk.kim, vault }, other, credentials("taken"), {
        ref: "taken",
        status: "building",
      }),
    );
    await expect(submit(what)).rejects.toThrow(ProjectInUseError);
    expect(await requestsOfAnn()).toEqual([]);
    expect(await seen()).toEqual(what);
  });
});
