import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Actor } from "#db/index.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { askingOnly, changed } from "../../../tests/support/questions.ts";
import { type Catalog, ChoiceNotPossibleError } from "../catalog/index.server.ts";
import type { Vault } from "../vault/index.server.ts";
import { businessAnswer } from "./answers.ts";
import { lockDraft } from "./drafts.ts";
import {
  findDraft,
  firstOpenStep,
  forgetDrafts,
  leaveToBerth,
  listFeatures,
  listPlans,
  StepNotOpenError,
  saveBusiness,
  saveFeatures,
  savePlan,
  tickedAtFirst,
  viewBackendChoice,
  viewReview,
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
const business = (change: Record<string, unknown> = {}) =>
  businessAnswer.parse({
    company: "Harbour Bakery",
    contactName: "Ann Example",
    country: "DE",
    region: "eu-central-1",
    timezone: "Europe/Berlin",
    ...change,
  });
const credentials = (mark: string) => ({
  url: `https://${mark}.supabase.co`,
  anonKey: `anon-${mark}-0123456789`,
  serviceRoleKey: `service-${mark}-0123456789`,
  databaseUrl: `postgresql://postgres.${mark}:pw@host/postgres`,
});

/** The wizard's acts, as the customer of this test. */
const wizard = {
  business: (change?: Record<string, unknown>) =>
    desk.as(ann, (tx) => saveBusiness({ tx, actor: ann, catalog }, business(change))),
  plan: (plan: string, billingCycle: "monthly" | "yearly" = "monthly") =>
    desk.as(ann, (tx) => savePlan({ tx, actor: ann, catalog }, { plan, billingCycle })),
  features: (...names: string[]) =>
    desk.as(ann, (tx) => saveFeatures({ tx, actor: ann, catalog }, names)),
  leave: () => desk.as(ann, (tx) => leaveToBerth({ tx, actor: ann, catalog })),
  own: (mark: string) =>
    desk.as(ann, (tx) =>
      keepProject({ tx, actor: ann, catalog, vault }, credentials(mark), {
        ref: mark,
        url: `https://${mark}.supabase.co`,
      }),
    ),
  draft: (actor = ann) => desk.as(actor, (tx) => findDraft(tx, ann.id)),
  review: async () => {
    const draft = await wizard.draft();
    if (!draft) throw new Error("no draft");
    return desk.as(ann, (tx) => viewReview({ tx, vault, catalog }, draft));
  },
};
const openStep = async () => firstOpenStep(catalog, (await wizard.draft())?.answers ?? {});

describe("a draft", () => {
  it("keeps each step's answer, and says which step comes next", async () => {
    expect(await wizard.draft()).toBeNull();
    expect(await openStep()).toBe("business");
    await wizard.business({ phone: "+49 30 1234567", industry: "Retail" });
    expect(await openStep()).toBe("plan");
    await wizard.plan("growth", "yearly");
    expect(await openStep()).toBe("features");
    await wizard.features("pos");
    expect(await openStep()).toBe("backend");
    await wizard.leave();
    expect(await openStep()).toBe("review");
    expect((await wizard.draft())?.answers).toEqual({
      business: {
        company: "Harbour Bakery",
        contactName: "Ann Example",
        phone: "+49 30 1234567",
        country: "DE",
        region: "eu-central-1",
        timezone: "Europe/Berlin",
        industry: "Retail",
      },
      plan: { plan: "growth", billingCycle: "yearly" },
      features: { chosen: ["pos"], dropped: [] },
      backend: { kind: "create" },
    });
    expect(await wizard.review()).toMatchObject({
      business: { country: "Germany", region: "Frankfurt, Germany" },
      plan: { name: "Growth", billingCycle: "yearly", currency: "EUR" },
      features: [
        { name: "base", neededBy: [] },
        { name: "inventory", neededBy: ["Point of sale"] },
        { name: "pos", neededBy: [] },
      ],
      problems: [],
    });
  });

  it("is one for each account, also where two windows begin at once", async () => {
    await Promise.all([
      wizard.business(),
      wizard.business({ company: "Other" }),
      wizard.business(),
    ]);
    expect(
      await select("select version from onboarding_drafts where user_id = $1", [ann.id]),
    ).toEqual([{ version: 4 }]);
  });

  it("lets nobody skip a step", async () => {
    const refused = async (act: () => Promise<unknown>) =>
      act().then(
        () => null,
        (error) => {
          expect(error).toBeInstanceOf(StepNotOpenError);
          return error.step;
        },
      );
    expect(await refused(() => wizard.plan("growth"))).toBe("business");
    expect(await refused(wizard.leave)).toBe("business");
    await wizard.business();
    expect(await refused(() => wizard.features("pos"))).toBe("plan");
    expect(await refused(() => wizard.own("skipped"))).toBe("plan");
    await wizard.plan("growth");
    expect(await refused(wizard.leave)).toBe("features");
    expect(await refused(wizard.review)).toBe("features");
    expect(await select("select 1 from data_keys")).toEqual([]);
  });

  it("is seen and changed by its own account alone", async () => {
    await wizard.business();
    await wizard.plan("growth");
    await wizard.features();
    await wizard.own("mine");
    const draft = await wizard.draft();
    const eve = await desk.newcomer();
    expect(await wizard.draft(eve)).toBeNull();
    await expect(
      desk.as(eve, (tx) => lockDraft({ tx, actor: { ...eve, id: ann.id }, catalog }, "business")),
    ).rejects.toThrow(StepNotOpenError);
    const all = await desk.as(eve, async (tx) => ({
      drafts: (await tx.execute("select id from onboarding_drafts")).rows,
      secrets: (await tx.execute("select backend_id from sealed_secrets")).rows,
      keys: (await tx.execute("select backend_id from data_keys")).rows,
      gone: (await tx.execute("delete from sealed_secrets where true")).rowCount,
    }));
    expect(all).toEqual({ drafts: [], secrets: [], keys: [], gone: 0 });
    for (const [table, column] of [
      ["sealed_secrets", "sealed"],
      ["data_keys", "wrapped"],
    ]) {
      // Not even its own account reads what is sealed.
      await expect(
        desk.as(ann, (tx) => tx.execute(`select ${column} from ${table}`)),
      ).rejects.toMatchObject({ cause: { code: "42501" } });
    }
    await expect(
      desk.as(eve, (tx) =>
        vault.seal({ tx, actor: eve }, { backendId: draft?.backendId ?? "", generation: 2 }, "x", {
          anonKey: "planted",
        }),
      ),
    ).rejects.toMatchObject({ cause: { code: "42501" } });
  });

  it("takes nothing but what its steps ask", () => {
    const answer = business({
      role: "admin",
      status: "completed",
      assigneeId: "kim",
      priority: "vip",
    });
    expect(Object.keys(answer).sort()).toEqual([
      "company",
      "contactName",
      "country",
      "region",
      "timezone",
    ]);
  });

  it("opens a step again whose answer an earlier release wrote in another shape", async () => {
    await wizard.business();
    await wizard.plan("growth");
    await desk.base.admin.query(
      `update onboarding_drafts set answers = answers || '{"plan": {"tier": 2}}' where user_id = $1`,
      [ann.id],
    );
    expect(await openStep()).toBe("plan");
  });
});

describe("plan and features", () => {
  it("are offered as the catalogue has them", async () => {
    const plans = await desk.as(ann, (tx) => listPlans(tx, desk.catalog));
    expect(
      plans.map(({ id, readyWithinHours, includes }) => [id, readyWithinHours, includes]),
    ).toEqual([
      ["starter", 72, ["Inventory"]],
      ["growth", 48, ["Inventory", "Point of sale"]],
      ["business", 24, ["Inventory", "Point of sale", "Analytics"]],
      ["enterprise", 12, ["Inventory", "Point of sale", "Analytics"]],
    ]);
    const features = await desk.as(ann, (tx) => listFeatures(tx, desk.catalog, "starter"));
    expect(features.map(({ name, needs, missing }) => [name, needs.length, missing])).toEqual([
      ["inventory", 0, null],
      ["pos", 1, { partOf: "Growth" }],
      ["analytics", 0, { partOf: "Business" }],
    ]);
  });

  it("leave out what is switched off, and what needs it; a draft that has it is told", async () => {
    await wizard.business();
    await wizard.plan("growth");
    await wizard.features("pos");
    await wizard.leave();
    await desk.base.admin.query(
      "update feature_templates set active = false where name = 'inventory'",
    );
    const features = await desk.as(ann, (tx) => listFeatures(tx, desk.catalog, "growth"));
    expect(features.map(({ name }) => name)).toEqual(["analytics"]);
    expect((await wizard.review()).problems).toEqual([
      { field: "features", message: "Inventory is not offered at present." },
    ]);
    await expect(wizard.features("pos")).rejects.toThrow(ChoiceNotPossibleError);
    await desk.base.admin.query("update feature_templates set active = true");
    expect((await wizard.review()).problems).toEqual([]);
  });

  it("say what works with what, and what cannot stand beside it", async () => {
    const told = changed(desk.catalog, (template) => ({
      ...template,
      optional: template.name === "analytics" ? [{ name: "pos", range: "*" }] : [],
      conflicts:
        template.name === "analytics"
          ? [{ name: "inventory", range: "*", reason: "Both count the stock." }]
          : [],
    }));
    const features = await desk.as(ann, (tx) => listFeatures(tx, told, "business"));
    const of = (name: string) => features.find((one) => one.name === name);
    expect(of("analytics")?.worksWith).toEqual(["Point of sale"]);
    expect(of("inventory")?.worksWith).toEqual([]);
    const reason = "Both count the stock.";
    // What needs Inventory cannot stand there either.
    expect(of("analytics")?.clashes).toEqual([
      { name: "inventory", title: "Inventory", reason },
      { name: "pos", title: "Point of sale", reason },
    ]);
    expect(of("inventory")?.clashes).toEqual([{ name: "analytics", title: "Analytics", reason }]);
    // The first of them in order of application, and what can stand beside it.
    expect(tickedAtFirst(features)).toEqual(["inventory", "pos"]);
    await wizard.business();
    await wizard.plan("business");
    await expect(
      desk.as(ann, (tx) =>
        saveFeatures({ tx, actor: ann, catalog: told }, ["analytics", "inventory"]),
      ),
    ).rejects.toThrow("Analytics and Inventory cannot be chosen together. Both count the stock.");
  });

  it("cannot be what nobody offers", async () => {
    await wizard.business();
    await expect(wizard.plan("platinum")).rejects.toThrow(ChoiceNotPossibleError);
    await wizard.plan("starter");
    for (const name of ["pos", "teleport", "__proto__"]) {
      await expect(wizard.features(name)).rejects.toThrow(ChoiceNotPossibleError);
    }
    await wizard.features("base", "inventory", "inventory");
    expect((await wizard.draft())?.answers.features?.chosen).toEqual(["inventory"]);
  });

  it("keep what still fits when the plan changes, and say what was dropped until it is seen", async () => {
    await wizard.business();
    await wizard.plan("business");
    await wizard.features("analytics", "pos", "inventory");
    await wizard.leave();
    expect(await wizard.plan("starter")).toEqual({ dropped: ["Analytics", "Point of sale"] });
    expect((await wizard.draft())?.answers).toMatchObject({
      features: { chosen: ["inventory"], dropped: ["Analytics", "Point of sale"] },
      backend: { kind: "create" },
    });
    expect((await wizard.review()).dropped).toEqual(["Analytics", "Point of sale"]);
    await wizard.features("inventory");
    expect((await wizard.review()).dropped).toEqual([]);
  });

  it("keep what came with a feature that is dropped, where the new plan includes it", async () => {
    await wizard.business();
    await wizard.plan("growth");
    await wizard.features("pos");
    expect(await wizard.plan("starter")).toEqual({ dropped: ["Point of sale"] });
    expect((await wizard.draft())?.answers.features).toEqual({
      chosen: ["inventory"],
      dropped: ["Point of sale"],
    });
  });
});

describe("credentials of the customer's own project", () => {
  const sealed = () =>
    select(
      `select s.backend_id, count(*)::int as fields from onboarding_drafts d
       join sealed_secrets s on s.backend_id = d.backend_id where d.user_id = $1 group by 1`,
      [ann.id],
    );
  const reach = async () => {
    await wizard.business();
    await wizard.plan("growth");
    await wizard.features();
  };

  it("are sealed under the id that the backend will have; the draft keeps URL and reference", async () => {
    await reach();
    await wizard.own("first");
    const draft = await wizard.draft();
    expect(draft?.answers.backend).toEqual({
      kind: "own",
      url: "https://first.supabase.co",
      ref: "first",
    });
    expect(await sealed()).toEqual([{ backend_id: draft?.backendId, fields: 3 }]);
    const { url: _, ...secrets } = credentials("first");
    const opened = await vault.use(
      { db: desk.base.db, actor: desk.worker },
      { backendId: draft?.backendId ?? "", generation: 1 },
      "test",
      async (fields) => ({ ...fields }),
    );
    expect(opened).toEqual(secrets);
    const shown = draft && (await desk.as(ann, (tx) => viewBackendChoice({ tx, vault }, draft)));
    expect(shown).toMatchObject({
      credentials: [
        { field: "anonKey", lastFour: "6789" },
        { field: "databaseUrl", lastFour: "gres" },
        { field: "serviceRoleKey", lastFour: "6789" },
      ],
    });
    const [row] = await select(
      "select d::text as text from onboarding_drafts d where user_id = $1",
      [ann.id],
    );
    const audited = await select("select a::text as text from audit_log a");
    const kept = [row, ...audited].map(({ text }) => text).join("\n") + JSON.stringify(shown);
    for (const secret of Object.values(secrets)) expect(kept).not.toContain(secret);
  });

  it("are destroyed when others take their place, and when Berth is to make the project", async () => {
    await reach();
    await wizard.own("first");
    const first = (await wizard.draft())?.backendId;
    await wizard.own("second");
    const second = (await wizard.draft())?.backendId;
    expect(second).not.toBe(first);
    expect(await sealed()).toEqual([{ backend_id: second, fields: 3 }]);
    await wizard.leave();
    expect((await wizard.draft())?.backendId).toBeNull();
    expect(
      await select(
        `select backend_id from data_keys where backend_id = any($1)
         union all select backend_id from sealed_secrets where backend_id = any($1)`,
        [[first, second]],
      ),
    ).toEqual([]);
    const destroyed = await select(
      `select subject_id, actor_kind from audit_log where action = 'secret.destroy' and actor_id = $1 order by id`,
      [ann.id],
    );
    expect(destroyed).toEqual([
      { subject_id: first, actor_kind: "customer" },
      { subject_id: second, actor_kind: "customer" },
    ]);
  });
});

describe("a draft that nobody has touched for 30 days", () => {
  const age = (days: number) =>
    desk.base.admin.query(
      "update onboarding_drafts set updated_at = berth_now() - make_interval(days => $2) where user_id = $1",
      [ann.id, days],
    );
  const forget = (limit?: number) =>
    desk.as(desk.worker, (tx) => forgetDrafts({ tx, actor: desk.worker }, limit));

  it("is deleted with what is sealed for it, and a younger or a submitted one is kept", async () => {
    await wizard.business();
    await wizard.plan("growth");
    await wizard.features();
    await wizard.own("stale");
    const draft = await wizard.draft();
    await age(29);
    expect(await forget()).toBe(0);
    await age(31);
    expect((await Promise.all([forget(), forget()])).sort()).toEqual([0, 1]);
    expect(await wizard.draft()).toBeNull();
    expect(
      await select("select 1 from data_keys where backend_id = $1", [draft?.backendId]),
    ).toEqual([]);
    const audited = await select(
      "select action from audit_log where subject_id = any($1) and actor_kind = 'worker' and action <> 'secret.use' order by id",
      [[draft?.id, draft?.backendId]],
    );
    expect(audited.map(({ action }) => action)).toEqual(["secret.destroy", "draft.expire"]);

    const { id: requestId } = await desk.request();
    await wizard.business();
    await desk.base.admin.query("update onboarding_drafts set request_id = $2 where user_id = $1", [
      ann.id,
      requestId,
    ]);
    await age(400);
    expect(await forget()).toBe(0);
  });

  it("goes in bounded rounds", async () => {
    for (let count = 0; count < 3; count += 1) {
      ann = await desk.newcomer();
      await wizard.business();
      await age(31);
    }
    expect([await forget(2), await forget(2), await forget(2)]).toEqual([2, 1, 0]);
  });
});
