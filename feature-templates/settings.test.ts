import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Template } from "#app/domain/catalog/index.server.ts";
import { act, anon, type People } from "./acting.ts";
import { applySeeds } from "./fresh-database.ts";
import { joinProjectServer, type Share } from "./shared-server.ts";

let server: Share;
beforeAll(async () => {
  server = await joinProjectServer();
});
afterAll(() => server?.stop());

const asMade = { name: "My company", currency: "EUR", time_zone: "UTC", locale: "en" };
const given = {
  company_name: "Hafen & Söhne 'GmbH'; --",
  currency: "CHF",
  time_zone: "Europe/Zurich",
  locale: "de-CH",
};

describe("what was asked about the company", () => {
  let client: pg.Client;
  let people: People;
  let templates: Template[];
  beforeEach(async () => {
    ({ client, people, templates } = await server.createCompany(["base"]));
    // As it is when the first seed comes.
    await client.query("delete from public.locations");
  });

  /** The seed, as a run applies it with these parameters. */
  const seed = async (parameters: Record<string, string>) => {
    await client.query("begin");
    try {
      for (const [name, value] of Object.entries(parameters)) {
        await client.query("select set_config($1, $2, true)", [`berth.base.${name}`, value]);
      }
      await applySeeds(client, templates);
      await client.query("commit");
    } catch (error) {
      await client.query("rollback");
      throw error;
    }
  };
  const settings = async () => {
    const { rows } = await client.query(
      "select name, currency, time_zone, locale from public.company_settings",
    );
    return rows[0];
  };

  it("becomes the company's settings, letter by letter", async () => {
    expect(await settings()).toEqual(asMade);
    await seed(given);
    const { company_name: name, ...others } = given;
    expect(await settings()).toEqual({ name, ...others });
  });

  it("is taken where it was answered, and left as it was where not", async () => {
    await seed({ currency: "USD", locale: "" });
    expect(await settings()).toEqual({ ...asMade, currency: "USD" });
  });

  it("is taken at the installation only, whether or not it was answered then", async () => {
    await seed({ company_name: "", currency: "" });
    await seed(given);
    expect(await settings()).toEqual(asMade);
  });

  it("never overwrites what the company changed since", async () => {
    await seed(given);
    await client.query("update public.company_settings set name = 'Later', locale = 'fr'");
    await seed({ ...given, company_name: "Again" });
    expect(await settings()).toMatchObject({ name: "Later", locale: "fr", currency: "CHF" });
  });

  it("never overwrites a change made before the first answer, even one back to the default", async () => {
    await client.query("update public.company_settings set currency = 'USD'");
    await client.query("update public.company_settings set currency = 'EUR'");
    await seed(given);
    expect(await settings()).toEqual(asMade);
  });

  it.each([
    [{ company_name: "   " }, "23514"],
    [{ company_name: "x".repeat(201) }, "23514"],
    [{ currency: "euro" }, "23514"],
    [{ time_zone: "Europe/Nowhere" }, "22023"],
    [{ locale: "german" }, "23514"],
    [{ ...given, currency: "chf" }, "23514"],
  ])("stops the run when the tables refuse it: %j", async (parameters, code) => {
    await expect(seed(parameters)).rejects.toMatchObject({ code });
    expect(await settings()).toEqual(asMade);
  });

  it("can be changed by the owner afterwards, and by nobody else", async () => {
    await seed(given);
    const change = "update public.company_settings set name = 'Changed' returning name";
    const { owner, manager, staff, viewer, stranger } = people;
    for (const who of [manager, staff, viewer, stranger]) {
      expect((await act(client, who, change)).rows).toEqual([]);
    }
    await expect(act(client, anon, change)).rejects.toMatchObject({ code: "42501" });
    expect((await act(client, owner, change)).rows).toEqual([{ name: "Changed" }]);
  });
});
