import type { ReactNode } from "react";
import type { BackendView } from "#app/domain/backends/index.server.ts";
import { Facts, Mono } from "../ui.tsx";

const WORDS: Record<string, string> = {
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
    (a, b) => Object.keys(WORDS).indexOf(a.field) - Object.keys(WORDS).indexOf(b.field),
  );
  return (
    <Facts
      items={[
        ["Project", <Mono key="ref">{backend.projectRef}</Mono>],
        ["URL", <Mono key="url">{backend.url}</Mono>],
        ...traces.map(({ field, lastFour, fingerprint }): [string, ReactNode] => [
          WORDS[field] ?? field,
          <span key={field}>
            sealed,{" "}
            {lastFour ? (
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
