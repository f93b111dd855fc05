import { createHash } from "node:crypto";
import type { SqlStep } from "#app/integrations/postgres/ledger.ts";
import { splitStatements } from "#app/integrations/postgres/parse.ts";

/** A small business's tables, by module: one file each. 40 in all. */
const MODULES: Record<string, string[]> = {
  company: ["companies", "branches", "members", "roles", "invitations", "settings", "files"],
  catalogue: ["suppliers", "brands", "categories", "products", "variants", "prices", "pictures"],
  stock: ["warehouses", "shelves", "lots", "movements", "counts", "transfers", "reservations"],
  sales: ["buyers", "addresses", "orders", "order_lines", "discounts", "coupons", "returns"],
  money: ["invoices", "invoice_lines", "payments", "refunds", "taxes", "ledgers"],
  care: ["tickets", "messages", "visits", "reviews", "campaigns", "reminders"],
};
/** How many tables have a trigger of their own: so many that the statements come to 280. */
const TRIGGERS = 18;

const PREAMBLE = [
  `create function public.touch() returns trigger language plpgsql set search_path = '' as $$
begin
  new.updated_at := pg_catalog.now();
  return new;
end $$`,
  `create function public.is_member(company uuid) returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
  return exists (
    select from public.members
    where company_id = company and user_id = (select auth.uid())
  );
end $$`,
];

/** What a table comes with: six statements, and for every other table an index more. */
function tableStatements(table: string, parent: string | null, index: number): string[] {
  const name = `public.${table}`;
  const reference = parent
    ? `parent_id uuid references public.${parent} (id) on delete restrict`
    : "parent_id uuid";
  return [
    `create table ${name} (
  id uuid primary key default gen_random_uuid(),
  company_id uuid not null,
  user_id uuid references auth.users (id) on delete set null,
  ${reference},
  code text not null check (length(code) between 1 and 60),
  title text not null default '',
  amount numeric(14, 2) not null default 0 check (amount >= 0),
  details jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (company_id, code)
)`,
    `create index ${table}_parent_idx on ${name} (parent_id)`,
    ...(index % 2 === 0
      ? [`create index ${table}_created_idx on ${name} (company_id, created_at desc)`]
      : []),
    `alter table ${name} enable row level security`,
    `create policy ${table}_read on ${name} for select to authenticated
  using ((select public.is_member(company_id)))`,
    `create policy ${table}_write on ${name} for all to authenticated
  using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()))`,
    `grant select, insert, update, delete on ${name} to authenticated, service_role`,
    ...(index < TRIGGERS
      ? [
          `create trigger ${table}_touch before update on ${name}
  for each row execute function public.touch()`,
        ]
      : []),
  ];
}

async function toStep(module: string, number: number, statements: string[]): Promise<SqlStep> {
  const version = `${20260101000000 + number}`;
  const file = `bench/migrations/${version}_${module}.sql`;
  const sql = `-- ${module}\n${statements.map((statement) => `${statement};\n`).join("\n")}`;
  return {
    kind: "migration",
    version,
    name: module,
    file,
    sql,
    checksum: createHash("sha256").update(sql).digest("hex"),
    template: "bench",
    templateVersion: "1.0.0",
    transactional: true,
    statements: (await splitStatements(sql, file)).map(({ sql, line }) => ({ sql, line })),
  };
}

/** Six files that make 40 tables in 280 statements: always the same ones. */
export async function makeWorkload(): Promise<SqlStep[]> {
  let index = 0;
  const files = Object.entries(MODULES).map(([module, tables], number) => {
    const statements = tables.flatMap((table, place) =>
      tableStatements(table, place > 0 ? (tables[place - 1] ?? null) : null, index++),
    );
    return toStep(module, number, number === 0 ? [...PREAMBLE, ...statements] : statements);
  });
  return Promise.all(files);
}
