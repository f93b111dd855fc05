import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
  redirect,
} from "@remix-run/node";
import { Link, useLoaderData, useSearchParams } from "@remix-run/react";
import { z } from "zod";
import {
  CopyNotConfirmedError,
  listOutbox,
  outboxFilter,
  resendMail,
} from "#app/domain/notifications/index.server.ts";
import { readFilter } from "#app/web/filters.server.ts";
import { askFirst, attempt, isConfirmed, readForm } from "#app/web/forms.server.ts";
import { inTx, requireDesk } from "#app/web/session.server.ts";
import { LapsedQuestion } from "../components/confirm.tsx";
import {
  FilterBar,
  FilterField,
  FilterSelect,
  IgnoredFilters,
} from "../components/desk/filter-bar.tsx";
import { MAIL_STATUS_WORDS, MAIL_WORDS } from "../components/desk/mail-words.ts";
import { askedAbout, OutboxTable } from "../components/desk/outbox-table.tsx";
import { Notice, ProblemNotice } from "../components/notice.tsx";
import { Pager } from "../components/table.tsx";
import { EmptyState, PageHeader } from "../components/ui.tsx";
import { useAnswer } from "../components/use-answer.ts";

export const meta: MetaFunction = () => [{ title: "Outbox · Berth" }];

export async function loader(args: LoaderFunctionArgs) {
  const { actor } = await requireDesk(args);
  const { filter, ignored, params } = readFilter(args.request, outboxFilter);
  const page = await inTx(args, actor, (tx) => listOutbox(tx, filter));
  return { ...page, ignored, params };
}

/** The filters of this page, without where in the list it stood. */
function filtersOf(request: Request): URLSearchParams {
  const { params } = readFilter(request, outboxFilter);
  const { cursor: _, ...kept } = params;
  return new URLSearchParams(kept);
}

/**
 * This page with the question about a mail open. Where it was sent meanwhile, it has left the list of
 * those that did not get through: it stands first in that of all.
 */
function askAbout(request: Request, mailId: string): Response {
  const url = new URL(request.url);
  if (url.searchParams.get("status") === "dead") {
    url.searchParams.delete("status");
    url.searchParams.set("cursor", mailId);
  }
  return askFirst({ url: url.href }, mailId);
}

export async function action(args: ActionFunctionArgs) {
  const { actor } = await requireDesk(args);
  const form = await readForm(args.request);
  const mail = z.uuid().safeParse(form.get("mail"));
  if (!mail.success) throw new Response(null, { status: 404 });
  const outcome = await attempt(args.context, () =>
    inTx(args, actor, (tx) => resendMail({ tx, actor }, mail.data, { mayCopy: isConfirmed(form) })),
  );
  if (!outcome.done && outcome.error instanceof CopyNotConfirmedError) {
    return askAbout(args.request, mail.data);
  }
  if (!outcome.done) return data({ problem: outcome.problem }, outcome.status);
  const to = filtersOf(args.request);
  to.set("again", outcome.result.isCopy ? "copy" : "same");
  return redirect(`/desk/outbox?${to}`, 303);
}

const options = (words: Record<string, string>) =>
  Object.entries(words).map(([value, label]) => ({ value, label }));

export { readAgainAfterRefusal as shouldRevalidate } from "../components/read-again.ts";

export default function Outbox() {
  const { mails, nextCursor, dead, ignored, params } = useLoaderData<typeof loader>();
  const answer = useAnswer<typeof action>();
  const [search] = useSearchParams();
  const { cursor, ...filters } = params;
  const isSet = Object.keys(filters).length > 0;
  return (
    <>
      <PageHeader title="Outbox">
        <p>Every mail that Berth writes. Berth tries each for about a day, then gives up.</p>
      </PageHeader>
      {answer ? <ProblemNotice problem={answer.problem} /> : <Again how={search.get("again")} />}
      {answer ? null : <LapsedQuestion offered={askedAbout(mails)} />}
      {dead > 0 && filters.status !== "dead" ? <DeadMails count={dead} /> : null}
      <IgnoredFilters ignored={ignored} />
      <FilterBar label="Search the outbox" isSet={isSet || cursor !== undefined}>
        <FilterSelect
          label="State"
          name="status"
          value={filters.status}
          any="Any state"
          options={options(MAIL_STATUS_WORDS)}
        />
        <FilterSelect
          label="What"
          name="kind"
          value={filters.kind}
          any="Any mail"
          options={options(MAIL_WORDS)}
        />
        <FilterField
          label="Address begins with"
          name="to"
          type="search"
          defaultValue={filters.to}
          className="max-sm:col-span-2"
        />
      </FilterBar>
      {mails.length === 0 ? (
        <Nothing isSet={isSet} />
      ) : (
        <>
          <OutboxTable mails={mails} />
          <Pager nextCursor={nextCursor} params={new URLSearchParams(params)} />
        </>
      )}
    </>
  );
}

function Again({ how }: { how: string | null }) {
  if (how === "same") {
    return (
      <Notice tone="success" title="The mail is on its way again" live>
        <p>It begins anew with its first attempt. Should it fail, its row says why.</p>
      </Notice>
    );
  }
  if (how === "copy") {
    return (
      <Notice tone="success" title="A copy is on its way" live>
        <p>It stands at the top of this list, marked “sent again”.</p>
      </Notice>
    );
  }
  return null;
}

function DeadMails({ count }: { count: number }) {
  return (
    <Notice
      tone="warning"
      title={`${count === 1000 ? "1000 mails or more" : count === 1 ? "1 mail" : `${count} mails`} did not get through`}
    >
      <p>
        Berth has given up on {count === 1 ? "it" : "them"}: somebody is waiting in vain.{" "}
        <Link to="/desk/outbox?status=dead">See why, and send again</Link>
      </p>
    </Notice>
  );
}

function Nothing({ isSet }: { isSet: boolean }) {
  if (isSet) {
    return (
      <EmptyState title="No mail fits">
        <p>Take a filter away, or look for a shorter beginning of the address.</p>
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No mail yet">
      <p>The first is written when a request comes in or somebody is invited.</p>
    </EmptyState>
  );
}
