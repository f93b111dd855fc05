import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Actor } from "#db/index.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { changed } from "../../../tests/support/questions.ts";
import { NotStaffError, RoleMissingError } from "../identity/index.server.ts";
import {
  BaseNotSwitchableError,
  ChoiceNotPossibleError,
  listTemplates,
  resolveChoice,
  switchTemplate,
  syncCatalog,
  UnknownTemplateError,
} from "./index.server.ts";

let desk: Desk;
const staff = (id: string): Actor => ({ kind: "staff", id, origin: "", correlationId: "t" });

beforeAll(async () => {
  desk = await openDesk();
});
beforeEach(() => desk.base.admin.query("update feature_templates set active = true"));
afterAll(() => desk.base.drop());

const turn = (name: string, active: boolean, by = "sam") =>
  desk.as(staff(by), (tx) => switchTemplate({ tx, actor: staff(by) }, desk.catalog, name, active));
const list = () => desk.as(staff("kim"), (tx) => listTemplates(tx, desk.catalog));
const choose = (...features: string[]) =>
  desk.as(desk.kim, (tx) => resolveChoice(tx, desk.catalog, { plan: "business", features }));

describe("a template that is switched off", () => {
  it("cannot be chosen, and neither can what needs it", async () => {
    await turn("inventory", false);
    await expect(choose("inventory")).rejects.toThrow(ChoiceNotPossibleError);
    // Point of Sale stands on Inventory.
    await expect(choose("pos")).rejects.toThrow(/Inventory is not offered/);
    expect((await choose()).features).toEqual(["base"]);
    await turn("inventory", true);
    expect((await choose("pos")).features).toEqual(["base", "inventory", "pos"]);
  });

  it("is so after a restart, and for the next version too", async () => {
    await turn("pos", false);
    const newer = {
      ...desk.catalog,
      templates: desk.catalog.templates.map((one) => ({ ...one, version: "99.0.0" })),
    };
    await desk.as(desk.worker, (tx) => syncCatalog(tx, desk.catalog));
    await desk.as(desk.worker, (tx) => syncCatalog(tx, newer));
    const off = (await list()).filter(({ active }) => !active).map(({ name }) => name);
    expect(off).toEqual(["pos"]);
    await desk.base.admin.query("delete from feature_templates where version = '99.0.0'");
  });

  it("is recorded once, under who switched it", async () => {
    await turn("analytics", false);
    await turn("analytics", false);
    const { rows } = await desk.base.admin.query(
      "select actor_id, subject_id, data from audit_log where action = 'template.switch' and subject_id = 'analytics'",
    );
    expect(rows).toEqual([{ actor_id: "sam", subject_id: "analytics", data: { active: false } }]);
  });

  it("is a supervisor's to switch; the base is nobody's", async () => {
    await expect(turn("pos", false, "kim")).rejects.toThrow(RoleMissingError);
    await expect(turn("pos", false, "nobody")).rejects.toThrow(NotStaffError);
    await expect(turn("base", false)).rejects.toThrow(BaseNotSwitchableError);
    await expect(turn("no-such", false)).rejects.toThrow(UnknownTemplateError);
    expect((await list()).every(({ active }) => active)).toBe(true);
  });
});

describe("the list of templates", () => {
  it("says what each needs, who needs it, what is in it, and how many backends have it", async () => {
    const { id, customerId } = await desk.request();
    const plant = (status: string, ref: string) =>
      desk.base.admin.query(
        `insert into customer_backends (id, customer_id, request_id, project_ref, url, status, installed)
         values (gen_random_uuid(), $1, $2, $3, 'https://x', $4, '{"base": "1.0.0", "inventory": "1.0.0"}')`,
        [customerId, id, ref, status],
      );
    await plant("ready", "abc");
    await plant("retired", "abd");
    const templates = await list();
    expect(templates[0]?.name).toBe("base");
    const of = (name: string) => templates.find((template) => template.name === name);
    const [base, inventory, pos] = [of("base"), of("inventory"), of("pos")];
    expect(base).toMatchObject({ isBase: true, installed: 1, requires: [] });
    expect(inventory).toMatchObject({ installed: 1, isBase: false, active: true });
    expect(inventory?.neededBy).toContain(pos?.title);
    expect(pos).toMatchObject({ installed: 0 });
    expect(pos?.requires.map(({ name }) => name)).toEqual(["base", "inventory"]);
    for (const template of templates) {
      expect(template.files.length).toBeGreaterThan(0);
      expect(template.statements).toBeGreaterThan(template.files.length);
      expect(template.plans.length).toBeGreaterThan(0);
    }
  });

  it("says which versions there are, and what of them is released", async () => {
    const [base] = await list();
    const { releases, isReleased } = desk.catalog.history("base");
    const released = base?.versions.filter((one) => one.isReleased);
    expect(released?.map(({ version }) => version)).toEqual(
      releases.map(({ version }) => version).reverse(),
    );
    expect(base?.versions[0]).toMatchObject({ version: base?.version, isReleased });
  });

  it("says what each asks, stores, makes use of and cannot stand beside", async () => {
    const told = changed(desk.catalog, (template) =>
      template.name === "pos"
        ? {
            ...template,
            optional: [{ name: "analytics", range: "^1.0.0" }],
            conflicts: [{ name: "inventory", range: "*", reason: "Both count." }],
            parameters: [
              { name: "footer", title: "Footer", type: "text", min: 0, max: 9, default: "" },
              { name: "owner", title: "Owner", type: "text", min: 1, max: 9, prefill: "company" },
              { name: "size", title: "Size", type: "integer" },
            ],
            storage: [{ bucket: "receipts", public: false, file_size_limit: 1_024 }],
          }
        : { ...template, optional: [], conflicts: [], parameters: [], storage: [] },
    );
    const templates = await desk.as(staff("kim"), (tx) => listTemplates(tx, told));
    const of = (name: string) => templates.find((template) => template.name === name);
    expect(of("pos")).toMatchObject({
      optional: [{ name: "analytics", title: "Analytics", range: "^1.0.0" }],
      conflicts: [{ name: "inventory", title: "Inventory", reason: "Both count." }],
      parameters: [
        { name: "footer", type: "text", preset: "", prefill: null },
        { name: "owner", type: "text", preset: null, prefill: "company" },
        { name: "size", type: "integer", preset: null, prefill: null },
      ],
      buckets: [{ name: "receipts", isPublic: false, largestFile: 1_024, types: [] }],
    });
    // Whichever of the two says so.
    expect(of("inventory")?.conflicts).toEqual([
      { name: "pos", title: "Point of sale", reason: "Both count." },
    ]);
    expect(of("base")).toMatchObject({ optional: [], conflicts: [], parameters: [], buckets: [] });
  });
});
