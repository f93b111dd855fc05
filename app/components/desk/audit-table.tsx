import { Link } from "@remix-run/react";
import type { DeskAuditRecord } from "#app/domain/audit/index.server.ts";
import { Table } from "../table.tsx";
import { ExactTime, RelativeTime } from "../time.tsx";
import { Mono } from "../ui.tsx";
import { actionWords, actorWords, subjectWords } from "./audit-words.ts";

/** The record: who did what, on what, from where. */
export function AuditTable({ records }: { records: DeskAuditRecord[] }) {
  return (
    <Table caption="The audit record, newest first" foldBelow="xl">
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">Who</th>
          <th scope="col">Act</th>
          <th scope="col">On what</th>
          <th scope="col">From</th>
        </tr>
      </thead>
      <tbody>
        {records.map((record) => (
          <AuditRow key={record.id} record={record} />
        ))}
      </tbody>
    </Table>
  );
}

function AuditRow({ record }: { record: DeskAuditRecord }) {
  const { at, actor, action, data, origin } = record;
  return (
    <tr>
      <td className="whitespace-nowrap">
        <RelativeTime at={at} />
      </td>
      <td className="min-w-28">
        <Link to={`?${new URLSearchParams({ who: actor.id })}`} className="link-hover link">
          {actor.name ?? actorWords(actor)}
        </Link>
        <span className="text-quiet">{howOf(actor)}</span>
      </td>
      <td className="min-w-60 max-xl:order-last max-xl:basis-full">
        <details>
          <summary className="cursor-pointer">
            {actionWords(action, data)}{" "}
            <span className="text-xs text-quiet">
              <Mono>{action}</Mono>
            </span>
          </summary>
          <AuditDetails record={record} />
        </details>
      </td>
      <td className="min-w-36">
        <AuditSubject record={record} />
      </td>
      <td className="whitespace-nowrap" data-label="From">
        {origin === "" ? <span className="text-quiet">within Berth</span> : <Mono>{origin}</Mono>}
      </td>
    </tr>
  );
}

/** Machines and keys act, too; a name alone would hide that. */
function howOf({ kind, name }: DeskAuditRecord["actor"]): string {
  if (kind === "worker") return name === null ? " (machine)" : "";
  return kind === "api" && name !== null ? ", by API key" : "";
}

function AuditSubject({ record: { subject, request } }: { record: DeskAuditRecord }) {
  const what = `${subjectWords(subject.kind)}${subject.name === null ? "" : ` of ${subject.name}`}`;
  if (request === null) return <span>{what}</span>;
  return (
    <span>
      {subject.kind === "request" ? "" : `${what}, `}
      <Link to={`/desk/requests/${request.id}`} className="link">
        <bdi>{request.company}</bdi>
      </Link>
    </span>
  );
}

/** Everything that the record holds, as it stands there. */
function AuditDetails({ record }: { record: DeskAuditRecord }) {
  const { id, at, actor, subject, request, correlationId, data } = record;
  const facts: [string, string][] = [
    ["record", String(id)],
    ["actor", `${actor.kind} ${actor.id}`],
    ["subject", `${subject.kind} ${subject.id}`],
    ...(request === null ? [] : [["request", request.id] as [string, string]]),
    ...(correlationId === "" ? [] : [["correlation", correlationId] as [string, string]]),
    ...Object.entries(data).map(([name, value]): [string, string] => [name, inText(value)]),
  ];
  return (
    <dl className="mt-2 mb-1 grid max-w-xl grid-cols-[max-content_minmax(0,1fr)] gap-x-4 gap-y-1 text-xs">
      <dt className="text-quiet">at</dt>
      <dd>
        <ExactTime at={at} />
      </dd>
      {facts.map(([name, text]) => (
        <div key={name} className="contents">
          <dt className="text-quiet">{name}</dt>
          <dd className="min-w-0">
            <Mono>{text}</Mono>
          </dd>
        </div>
      ))}
    </dl>
  );
}

const inText = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
