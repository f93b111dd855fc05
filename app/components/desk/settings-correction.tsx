import type { ReactNode } from "react";
import type { CorrectionView, ToldAnswers } from "#app/domain/onboarding/index.server.ts";
import type { CredentialsView } from "#app/domain/provisioning/index.server.ts";
import type { FieldErrors } from "#app/web/forms.server.ts";
import { SubmitButton } from "../form.tsx";
import { SettingsOfFeatures } from "../settings-of-features.tsx";
import { SettingsForm } from "../sign-up/settings-form.tsx";
import { ButtonLink, EmptyState, Panel } from "../ui.tsx";
import { whomToAsk } from "./holder-words.ts";
import type { RequestOnPage } from "./request-on-page.ts";

interface Shown extends Pick<CredentialsView, "request" | "standing" | "holder"> {
  correction: CorrectionView;
  errors: FieldErrors;
  /** What was written by who is told what is wrong with it. */
  values: Record<string, string>;
}

/** The questions of the wizard with the present answers, or why they cannot be corrected. */
export function SettingsCorrection(props: Shown) {
  const { request, correction, standing } = props;
  if (standing !== "open") return <NotNow {...props} />;
  const page = `/desk/requests/${request.requestId}`;
  const { closed, unknown } = correction;
  const hasClosed = closed.length + unknown.length > 0;
  return (
    <div className="max-w-2xl">
      {correction.open.length > 0 ? (
        <CorrectionForm {...props} page={page} />
      ) : (
        <EmptyState
          title="There is nothing to correct here"
          action={<ButtonLink to={page}>Back to the request</ButtonLink>}
        >
          {hasClosed
            ? "All settings are in the project already, or may be."
            : "The features of this request ask nothing."}
        </EmptyState>
      )}
      <Closed title="In the project already" settings={closed}>
        No run reads these again, unless a later version of the feature does. What is wrong with
        them is changed in the product’s own settings, by the customer or for them.
      </Closed>
      <Closed title="Perhaps in the project already" settings={unknown}>
        Nobody knows yet whether the project has these; the next run finds out.
      </Closed>
    </div>
  );
}

/** What cannot be corrected, and why; nothing where there is none. */
function Closed(props: { title: string; settings: ToldAnswers[]; children: ReactNode }) {
  const { title, settings, children } = props;
  if (settings.length === 0) return null;
  return (
    <Panel title={title}>
      <p className="mb-4 text-quiet">{children}</p>
      <SettingsOfFeatures settings={settings} />
    </Panel>
  );
}

const IN_PROJECT =
  "The project may have these already, and then keeps what it has: change it there too, in the product’s own settings. The next run takes what is corrected here.";

function CorrectionForm({ request, correction, errors, values, page }: Shown & { page: string }) {
  const { open, seen, currency } = correction;
  const features = open.map((feature) => ({
    ...feature,
    note: feature.isBuiltIn ? IN_PROJECT : null,
  }));
  return (
    <>
      <p className="mb-6 wrap-anywhere">
        Change only what <bdi>{request.company}</bdi> has asked for, or agreed to. Their page will
        say that the settings were corrected; the next run builds with them.
      </p>
      <SettingsForm features={features} values={values} errors={errors} currency={currency}>
        <input type="hidden" name="version" value={seen.version} />
        <input type="hidden" name="eventId" value={seen.eventId} />
        <div className="flex flex-col-reverse gap-3 sm:flex-row sm:justify-end">
          <ButtonLink to={page}>Leave them as they are</ButtonLink>
          <SubmitButton pendingText="Correcting …">Correct the settings</SubmitButton>
        </div>
      </SettingsForm>
    </>
  );
}

/** Why this person cannot correct the settings now, and what would open the way. */
function NotNow({ request, standing, holder }: Shown) {
  const page = `/desk/requests/${request.requestId}`;
  const back = <ButtonLink to={page}>Back to the request</ButtonLink>;
  if (standing === "unclaimed" || standing === "expired") {
    return (
      <EmptyState
        title={standing === "unclaimed" ? "Nobody has claimed this request" : "The claim has ended"}
        action={back}
      >
        Settings are corrected by whoever has the request in hand. Claim it on its page.
      </EmptyState>
    );
  }
  if (standing === "held") {
    return (
      <EmptyState title={`${holder?.name ?? "Somebody else"} has this request`} action={back}>
        {whomToAsk(holder, request.status)}
      </EmptyState>
    );
  }
  const { title, text } =
    OVER[request.status === "completed" || request.status === "cancelled" ? request.status : "run"];
  return (
    <EmptyState title={title} action={back}>
      {text}
    </EmptyState>
  );
}

const OVER = {
  run: {
    title: "A run is building with these settings",
    text: "Wait for the run to end, or cancel it. Then correct the settings, and retry.",
  },
  completed: {
    title: "The settings are in the project already",
    text: "The backend is ready, and nothing reads them here again. Change them in the product’s own settings.",
  },
  cancelled: {
    title: "This request was cancelled",
    text: "Nothing will be built with its settings.",
  },
};

/** Where whoever can correct something finds the act; nothing for anybody else. */
export function CorrectSettings({ request }: { request: RequestOnPage }) {
  const { canCorrect, requestId } = request;
  if (!canCorrect) return null;
  return (
    <p className="mt-3">
      <ButtonLink to={`/desk/requests/${requestId}/settings`} size="sm">
        Correct settings
      </ButtonLink>
    </p>
  );
}

/** Of a run that refused an answer: the act that mends it, or that it was done since. */
export function RefusedAnswers({ request }: { request: RequestOnPage }) {
  const { failure, timeline } = request;
  if (failure?.code !== "answers_refused") return null;
  // Newest first.
  const last = timeline.find(({ kind }) => kind === "failed" || kind === "settings_corrected");
  if (last?.kind !== "settings_corrected") return <CorrectSettings request={request} />;
  return (
    <p className="mt-2 font-semibold">
      The settings were corrected since. A retry builds with them.
    </p>
  );
}
