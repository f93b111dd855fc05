import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import { useLoaderData, useSearchParams } from "@remix-run/react";
import { deskAuditFilter, knownActions, listDeskAudit } from "#app/domain/audit/index.server.ts";
import { listStaff } from "#app/domain/staff/index.server.ts";
import { readFilter } from "#app/web/filters.server.ts";
import { inTx, requireDesk } from "#app/web/session.server.ts";
import { AuditTable } from "../components/desk/audit-table.tsx";
import { SUBJECT_KINDS, subjectWords } from "../components/desk/audit-words.ts";
import {
  FilterBar,
  FilterField,
  FilterSelect,
  IgnoredFilters,
} from "../components/desk/filter-bar.tsx";
import { Pager } from "../components/table.tsx";
import { EmptyState, PageHeader } from "../components/ui.tsx";

export const meta: MetaFunction = () => [{ title: "Audit · Berth" }];

export async function loader(args: LoaderFunctionArgs) {
  const { actor } = await requireDesk(args);
  const { filter, ignored, params } = readFilter(args.request, deskAuditFilter);
  return inTx(args, actor, async (tx) => ({
    ...(await listDeskAudit(tx, filter)),
    actions: await knownActions(tx),
    people: (await listStaff(tx)).map(({ email }) => email),
    ignored,
    params,
  }));
}

/** Kinds that mean the same to a reader stand under both names in the record. */
const kinds = SUBJECT_KINDS.map((kind) => ({
  value: kind,
  label: subjectWords(kind) === kind ? kind : `${subjectWords(kind)} (${kind})`,
}));

export default function Audit() {
  const { records, nextCursor, actions, people, ignored, params } = useLoaderData<typeof loader>();
  const { cursor, ...filters } = params;
  const [given] = useSearchParams();
  const isSet = Object.keys(filters).length > 0;
  return (
    <>
      <PageHeader title="Audit">
        <p>Who did what, on what, from where. Nothing here can be changed or taken away.</p>
      </PageHeader>
      <IgnoredFilters ignored={ignored} />
      <FilterBar label="Search the audit record" isSet={isSet || cursor !== undefined}>
        <FilterField
          label="Who: e-mail, id or machine"
          name="who"
          className="sm:w-42"
          defaultValue={filters.who}
          suggestions={people}
        />
        <FilterField
          label="Act begins with"
          name="action"
          className="sm:w-36"
          defaultValue={filters.action}
          suggestions={actions}
        />
        <FilterSelect
          label="On what"
          name="subject"
          value={filters.subject}
          any="Anything"
          options={kinds}
        />
        <FilterField label="Its id" name="id" className="sm:w-28" defaultValue={filters.id} />
        <FilterField
          label="Request’s id"
          name="request"
          className="sm:w-28"
          defaultValue={filters.request ?? given.get("request") ?? ""}
          error={
            ignored.some(({ name }) => name === "request")
              ? "This is not the id of a request."
              : undefined
          }
        />
        <FilterField label="From (UTC)" name="from" type="date" defaultValue={filters.from} />
        <FilterField
          label="To, that day included (UTC)"
          name="to"
          type="date"
          defaultValue={filters.to}
        />
      </FilterBar>
      {records.length === 0 ? (
        <EmptyState title={isSet ? "Nothing fits" : "Nothing is recorded yet"}>
          <p>
            {isSet
              ? "Take a filter away, or look at a longer span of days."
              : "The first act of anybody will stand here."}
          </p>
        </EmptyState>
      ) : (
        <>
          <AuditTable records={records} />
          <Pager nextCursor={nextCursor} params={new URLSearchParams(params)} />
        </>
      )}
    </>
  );
}
