import type { ReactNode } from "react";
import type { BackendView } from "#app/domain/backends/index.server.ts";
import { Facts, Mono } from "./ui.tsx";

/** What each value is called wherever it is asked for. */
export const CREDENTIAL_WORDS: Record<string, string> = {
  anonKey: "Anon or publishable key",
  serviceRoleKey: "Service-role or secret key",
  databaseUrl: "Database URL",
};

/** All that can be seen of sealed credentials: enough to compare them, nothing to use them with. */
export function CredentialTraces(props: {
  backend: Pick<BackendView, "projectRef" | "url" | "credentials">;
}) {
  const { backend } = props;
  const traces = [...backend.credentials].sort(
    (a, b) =>
      Object.keys(CREDENTIAL_WORDS).indexOf(a.field) -
      Object.keys(CREDENTIAL_WORDS).indexOf(b.field),
  );
  return (
    <Facts
      items={[
        ["Project", <Mono key="ref">{backend.projectRef}</Mono>],
        ["URL", <Mono key="url">{backend.url}</Mono>],
        ...traces.map(({ field, lastFour, fingerprint }): [string, ReactNode] => [
          CREDENTIAL_WORDS[field] ?? field,
          <span key={field}>
            sealed, {/* A connection string's end says nothing: most of them end alike. */}
            {lastFour && field !== "databaseUrl" ? (
              <>
                ends in <Mono>{lastFour}</Mono>,{" "}
              </>
            ) : null}
            fingerprint <Mono>{fingerprint}</Mono>
          </span>,
        ]),
      ]}
    />
  );
}
