import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { type Credentials, startTestSandbox, type TestSandbox } from "../../test-sandbox.ts";

/**
 * Notes belong to people, kinds hold one value of each type, given is all of names that a statement
 * might use itself, closed is for nobody.
 */
const SCHEMA = `
  create table public.notes (
    id bigint generated always as identity primary key,
    owner uuid not null default auth.uid(),
    text text not null check (text <> ''),
    stars int not null default 0,
    tag text unique
  );
  alter table public.notes enable row level security;
  create policy notes_select on public.notes for select to authenticated
    using (owner = (select auth.uid()));
  create policy notes_insert on public.notes for insert to authenticated
    with check (owner = (select auth.uid()));
  create policy notes_update on public.notes for update to authenticated
    using (owner = (select auth.uid())) with check (owner = (select auth.uid()));
  create policy notes_delete on public.notes for delete to authenticated
    using (owner = (select auth.uid()));
  grant select, insert, update, delete on public.notes to authenticated, service_role;
  grant select (id) on public.notes to anon;

  create type public.mood as enum ('good', 'bad');
  create table public.kinds (
    id int primary key, "odd ""name" text, big bigint, exact numeric, float float8, yes boolean,
    doc jsonb, raw json, list int[], names text[], uid uuid, at timestamptz, day date, how mood, bytes bytea
  );
  grant select, insert, update, delete on public.kinds to service_role;
  create table public.parts (kind int references public.kinds, place int, primary key (kind, place));
  grant select, insert, update, delete on public.parts to service_role;
  create table public.given (id int primary key, rows jsonb, source text, page int, pgrst_rows int);
  grant select, insert, update, delete on public.given to service_role;
  create table public.closed (id int);
  create schema private;
  create table private.secrets (id int);
  grant usage on schema private to service_role;
  grant select on private.secrets to service_role;

  create function public.add(a numeric, b numeric default 1) returns numeric language sql immutable
    as 'select a + b';
  create function public.my_notes(minimum int default 0) returns setof public.notes language sql stable
    as 'select * from public.notes where stars >= minimum';
  create function public.new_note(text text) returns public.notes language sql volatile
    as 'insert into public.notes (text) values (new_note.text) returning *';
  create function public.sly_note() returns bigint language sql stable
    as 'select id from public.new_note(''sly'')';
  create function public.nothing() returns void language sql as '';
  create function public.pairs() returns table (one int, two text) language sql stable
    as $$ values (1, 'a'), (2, 'b'), (3, null) $$;
  create function public.all_given() returns setof public.given language sql stable
    as 'select * from public.given';
  create function public.words(list text[]) returns setof text language sql immutable
    as 'select unnest(list)';
  create function public.twice(a int) returns int language sql immutable as 'select a * 2';
  create function public.twice(b text) returns text language sql immutable as 'select b || b';
  create function public.same(a int) returns int language sql immutable as 'select a';
  create function public.same(a text) returns text language sql immutable as 'select a';
  create function public.who() returns jsonb language sql stable as $$
    select jsonb_build_object('user', current_user, 'uid', auth.uid(), 'role', auth.role(),
      'method', current_setting('request.method', true), 'path', current_setting('request.path', true),
      'timeout', current_setting('statement_timeout'), 'search_path', current_setting('search_path')) $$;
  create function public.fail(code text, message text) returns void language plpgsql as $$
    begin raise exception using errcode = code, message = message, detail = 'why', hint = 'how'; end $$;
  create function public.sleep(seconds float8) returns void language sql volatile
    as 'select pg_sleep(seconds)';
  create function public.hidden() returns int language sql as 'select 1';
  grant execute on all functions in schema public to anon, authenticated, service_role;
  revoke execute on function public.hidden() from public, anon, authenticated, service_role;`;

/** A project with a small schema and two people who have signed in. */
export interface TestShop {
  box: TestSandbox;
  project: Credentials;
  anon: SupabaseClient;
  service: SupabaseClient;
  /** A new person, signed in; with his token, for calls by hand. */
  person(email: string): Promise<{ client: SupabaseClient; token: string; id: string }>;
  /** A call by hand; `headers` on top of the service key's. */
  call(
    method: string,
    path: string,
    o?: { headers?: Record<string, string>; body?: unknown },
  ): Promise<{ status: number; headers: Headers; text: string; json: unknown }>;
}

/** Opens a sandbox with such a project. */
export async function openTestShop(): Promise<TestShop> {
  const box = await startTestSandbox();
  const project = await box.project();
  const db = await box.connect(project.databaseUrl);
  await db.query(SCHEMA);
  const client = (key: string | null) =>
    createClient(project.url, `${key}`, {
      auth: { persistSession: false, autoRefreshToken: false },
    });
  const service = client(project.secretKey);
  return {
    box,
    project,
    anon: client(project.publishableKey),
    service,
    async person(email) {
      const password = "correct horse";
      const made = await service.auth.admin.createUser({ email, password, email_confirm: true });
      if (made.error) throw made.error;
      const own = client(project.anonKey);
      const { data, error } = await own.auth.signInWithPassword({ email, password });
      if (error) throw error;
      return { client: own, token: data.session.access_token, id: data.user.id };
    },
    async call(method, path, { headers = {}, body } = {}) {
      const answer = await fetch(`${project.url}/rest/v1${path}`, {
        method,
        headers: { apikey: `${project.secretKey}`, "content-type": "application/json", ...headers },
        ...(body === undefined
          ? {}
          : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      const isJson = /json/.test(answer.headers.get("content-type") ?? "");
      return {
        status: answer.status,
        headers: answer.headers,
        text,
        json: isJson && text ? JSON.parse(text) : null,
      };
    },
  };
}
