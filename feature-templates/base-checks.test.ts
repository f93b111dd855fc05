import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failedChecks } from "./fresh-database.ts";
import { joinProjectServer, type Share } from "./shared-server.ts";

let server: Share;
beforeAll(async () => {
  server = await joinProjectServer();
});
afterAll(() => server?.stop());

describe("the checks of base", () => {
  it("name what has been loosened or lost since", async () => {
    const { client, people, templates } = await server.createCompany(["base"]);
    expect(await failedChecks(client, templates)).toEqual([]);
    await client.query(`
      drop policy berth_files_insert on storage.objects;
      drop index public.invitations_open_email_key;
      alter table public.members disable trigger members_settle_invitations;
      grant execute on function private.next_document_number(uuid, text) to service_role;
      grant update on public.document_counters to authenticated;
      alter table public.document_counters disable row level security;
      alter function private.accept_invitation(uuid) reset search_path;
      grant execute on function public.accept_invitations() to anon;
      insert into storage.buckets (id, name) values ('files', 'files') on conflict do nothing;
      update storage.buckets set public = true where id = 'files';
    `);
    await client.query("select set_config('request.jwt.claims', $1, false)", [
      JSON.stringify({ sub: people.manager.id }),
    ]);
    await client.query("insert into public.invitations (email) values ('late@example.test')");
    await client.query("delete from public.members where user_id = $1", [people.manager.id]);
    expect(await failedChecks(client, templates)).toEqual([
      "base: every table has row-level security: document_counters",
      "base: every function exists with a fixed search_path: private.accept_invitation(uuid)",
      "base: anon may execute no function: public.accept_invitations()",
      "base: every trigger is there and enabled: members_settle_invitations on public.members",
      "base: only functions of the database give document numbers: authenticated, service_role",
      "base: an open invitation was sent by somebody who may invite to its role: 1 sent by others",
      "base: an address has at most one open invitation: the index is gone",
      "base: files have their policies: berth_files_insert",
      "base: the bucket of files is not public: anybody reads its files",
    ]);
  });
});
