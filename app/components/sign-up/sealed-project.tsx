import { Link } from "@remix-run/react";
import { Lock } from "lucide-react";
import type { BackendChoice } from "#app/domain/onboarding/index.server.ts";
import { CredentialTraces } from "../credentials-traces.tsx";
import { Badge } from "../ui.tsx";

/** The project that a draft keeps, and the way to another. */
export function SealedProject(props: {
  project: Extract<BackendChoice, { kind: "own" }>;
  another: string;
}) {
  const { project, another } = props;
  return (
    <>
      <p className="mb-4 flex flex-wrap items-center gap-2">
        <Badge tone="success" icon={Lock}>
          Tested and sealed
        </Badge>
        <span>Your own project is ready to be used.</span>
      </p>
      <CredentialTraces backend={project} />
      <p className="mt-4">
        <Link to={another}>Use another project</Link>
      </p>
    </>
  );
}
