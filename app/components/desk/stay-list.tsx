import { Fragment } from "react";
import type { WhatStays } from "#app/domain/provisioning/index.server.ts";
import { Mono } from "../ui.tsx";

/**
 * What runs leave in the customer's projects when the request is closed; nothing at all where nobody
 * asked (null). Of more than one project, each has its name.
 */
export function StayList({ stays }: { stays: WhatStays[] | null }) {
  if (!stays) return null;
  if (stays.length === 0) return <p className="text-quiet">Nothing: no step had taken effect.</p>;
  return stays.map((project) => (
    <Fragment key={project.projectRef}>
      {stays.length > 1 ? (
        <p className="mt-2">
          In the project <Mono>{project.projectRef}</Mono>
        </p>
      ) : null}
      <ProjectStays stays={project} />
    </Fragment>
  ));
}

function ProjectStays({ stays }: { stays: WhatStays }) {
  const { applied, seeds, buckets, ownerAccount, authSettings, ledger, unfinished, unknown } =
    stays;
  return (
    <ul className="list-disc pl-5 wrap-anywhere">
      {applied.map(({ version, file }) => (
        <li key={version}>
          Version <Mono>{version}</Mono> <span className="text-quiet">from {file}</span>
        </li>
      ))}
      {seeds.map(({ template, file }) => (
        <li key={file}>
          Seed data of {template} <span className="text-quiet">from {file}</span>
        </li>
      ))}
      {buckets.map((name) => (
        <li key={name}>
          The bucket <Mono>{name}</Mono>
        </li>
      ))}
      {authSettings ? <li>The sign-in settings that the templates ask for</li> : null}
      {ownerAccount ? <li>The owner’s account</li> : null}
      {ledger ? (
        <li>
          The ledger, in the schemas <Mono>berth</Mono> and <Mono>supabase_migrations</Mono>
        </li>
      ) : null}
      {unfinished.map((file) => (
        <li key={file} className="text-warning">
          Perhaps an index that is not valid, of {file}
        </li>
      ))}
      {unknown.map((name) => (
        <li key={name} className="text-warning">
          Perhaps the effect of “{name}”: nobody could find out
        </li>
      ))}
    </ul>
  );
}
