import type { FieldErrors } from "#app/web/forms.server.ts";
import { Field } from "../form.tsx";
import { MaskedField, PASTED } from "../masked-field.tsx";
import { Mono } from "../ui.tsx";
import { useHasScripts } from "../use-has-scripts.ts";

/**
 * The four values of a customer's own project: what each is, where it is found, how it looks. What
 * is secret is never filled in again.
 */
export function OwnProjectFields({ url, errors }: { url?: string; errors: FieldErrors }) {
  const canShow = useHasScripts();
  return (
    <>
      <Field
        label="Project URL"
        name="url"
        type="url"
        maxLength={2_000}
        defaultValue={url}
        error={errors.url}
        hint={
          <>
            The address of your project. Supabase → Settings → API. It looks like{" "}
            <Mono>https://abcdefghijklmnopqrst.supabase.co</Mono>
          </>
        }
        {...PASTED}
      />
      <Field
        label="Anon or publishable key"
        name="anonKey"
        maxLength={8_000}
        error={errors.anonKey}
        className="font-mono"
        hint={
          <>
            The key that browsers may know. Supabase → Settings → API keys. It begins with{" "}
            <Mono>sb_publishable_</Mono> or <Mono>eyJ</Mono>
          </>
        }
        {...PASTED}
      />
      <MaskedField
        label="Service-role or secret key"
        name="serviceRoleKey"
        canShow={canShow}
        error={errors.serviceRoleKey ?? []}
        hint={
          <>
            The key that only servers may know. Same page, behind “Reveal”. It begins with{" "}
            <Mono>sb_secret_</Mono> or <Mono>eyJ</Mono>
          </>
        }
      />
      <MaskedField
        label="Database URL"
        name="databaseUrl"
        canShow={canShow}
        error={errors.databaseUrl ?? []}
        hint={
          <>
            With it we install the features. Supabase → Connect → Session pooler, with your
            database’s password in it. It looks like{" "}
            <Mono>
              postgresql://postgres.abcdefghijklmnopqrst:PASSWORD@….pooler.supabase.com:5432/postgres
            </Mono>
          </>
        }
      />
      <p className="text-sm text-quiet">
        All four are tested when you continue, which takes a few seconds. Then the keys and the
        connection string are encrypted; nobody can read them back, and they are used to install
        your features alone.
      </p>
    </>
  );
}
