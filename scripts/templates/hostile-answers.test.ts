/** Templates that put an answer into SQL's text where no rule about texts can see it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ProjectServer, startProjectServer } from "./project-server.ts";
import {
  asking,
  more,
  question,
  readsIt,
  soundBase,
  soundShop,
  told,
  toldByDatabases,
} from "./sample-templates.ts";

let server: ProjectServer;
beforeAll(async () => {
  server = await startProjectServer(17);
});
afterAll(() => server?.stop());

const shorter = "{ name: motto, type: text, max: 30, title: Motto, default: Hi }";

/** Shop with a question, whose answer a function gets once, beside a shorter one. */
const handing = (body: string) => ({
  ...soundBase,
  ...soundShop,
  "shop/template.yaml": asking(`${question}, ${shorter}`),
  [more]: `create function private.keep(answer text) returns void language plpgsql set search_path = ''
as $$ begin ${body} end $$;
revoke all on function private.keep(text) from public, anon, authenticated, service_role;`,
  "shop/seed.sql": `select private.keep(coalesce(${readsIt}, 'Hello'))
where not exists (select from public.goods)
  and coalesce(current_setting('berth.shop.motto', true), 'Hi') <> '';`,
});

describe("an answer that is meant to break out", () => {
  const cases: [string, string, RegExp[]][] = [
    [
      "fails between quotes",
      "execute format('insert into public.goods values (1, ''%s'')', answer);",
      [/^shop\/seed\.sql:1.* It fails on an answer with quotes.*Use it as a value alone/s],
    ],
    [
      "fails between dollars",
      "execute 'insert into public.goods values (1, ' || repeat(chr(36), 2) || answer || repeat(chr(36), 2) || ')';",
      [/^shop\/seed\.sql:1.* It fails on an answer with quotes/s],
    ],
    [
      "runs as SQL",
      "insert into public.goods values (1, ''); execute format('update public.goods set name = ''%s''', answer);",
      [
        /^An answer became SQL: spliced: a schema.*Hand it over as a value/,
        /^goods\.name holds a part of an answer/,
      ],
    ],
    [
      "is lost where its failure is caught",
      `insert into public.goods values (1, '');
       begin execute format('update public.goods set name = (''%s'')', answer);
       exception when others then null; end;`,
      [/^berth\.shop\.slogan is kept nowhere.*Keep the answer as it was given/],
    ],
    [
      "is cut",
      "insert into public.goods values (1, left(answer, 40));",
      [/^goods\.name holds a part of an answer/],
    ],
    [
      "is cut within a text, where the answer to another question is shorter still",
      "insert into public.goods values (1, '<' || left(answer, 40) || '>');",
      [/^goods\.name holds a part of an answer/],
    ],
  ];

  it.each(cases)("%s", async (_, body, sentences) => {
    const files = handing(body);
    expect(await told(files)).toEqual([]);
    const { findings } = await toldByDatabases(server, 17, files);
    expect(findings, JSON.stringify(findings, null, 1)).toHaveLength(sentences.length);
    for (const [i, { message, seen }] of findings.entries()) {
      expect(message).toMatch(sentences[i] as RegExp);
      expect(seen).toEqual(["base + shop, hostile answers, PostgreSQL 17, 2026-10 grants"]);
    }
  });

  it("is kept as it is by what hands it over as a value", async () => {
    const sound = handing(
      "execute 'insert into public.goods values (1, $1)' using answer; perform format('%L', answer);",
    );
    expect((await toldByDatabases(server, 17, sound)).findings).toEqual([]);
  });
});
