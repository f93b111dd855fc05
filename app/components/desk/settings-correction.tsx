import { Form } from "@remix-run/react";
import { useEffect, useState } from "react";
import type { CorrectionView } from "#app/domain/onboarding/index.server.ts";
import type { CredentialsView } from "#app/domain/provisioning/index.server.ts";
import type { FieldErrors } from "#app/web/forms.server.ts";
import { SubmitButton } from "../form.tsx";
import { SettingsOfFeatures } from "../settings-of-features.tsx";
import { SettingFields } from "../sign-up/setting-fields.tsx";
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
  return (
    <div className="max-w-2xl">
      {correction.open.length > 0 ? (
        <CorrectionForm {...props} page={page} />
      ) : (
        <EmptyState
          title="There is nothing to correct here"
          action={<ButtonLink to={page}>Back to the request</ButtonLink>}
        >
          {correction.closed.length > 0
            ? "All settings are in the project already."
            : "The features of this request ask nothing."}
        </EmptyState>
      )}
      {correction.closed.length > 0 ? (
        <Panel title="In the project already">
          <p className="mb-4 text-quiet">
            Nothing reads these again. What is wrong with them is changed in the product’s own
            settings, by the customer or for them.
          </p>
          <SettingsOfFeatures settings={correction.closed} />
        </Panel>
      ) : null}
    </div>
  );
}

/** In this question the company says what it counts in. */
const CURRENCY = "base.currency";

function CorrectionForm({ request, correction, errors, values, page }: Shown & { page: string }) {
  const { open, seen } = correction;
  const written = values[CURRENCY] ?? correction.currency;
  // Without scripts the list could be changed and the word beside the amounts would not.
  const [currency, setCurrency] = useState("");
  useEffect(() => setCurrency(written), [written]);
  return (
    <>
      <p className="mb-6">
        Change only what <bdi>{request.company}</bdi> has asked for, or agreed to. Their page will
        say that the settings were corrected; the next run builds with them.
      </p>
      <Form
        method="post"
        noValidate
        onChange={({ target }) => {
          if (target instanceof HTMLSelectElement && target.name === CURRENCY) {
            setCurrency(target.value);
          }
        }}
      >
        <input type="hidden" name="version" value={seen.version} />
        <input type="hidden" name="eventId" value={seen.eventId} />
        {open.map(({ template, title, fields, isBuiltIn }) => (
          <fieldset key={template} className="mb-8">
            <legend className="mb-4 w-full border-b border-base-300 pb-2 text-base font-semibold">
              {title}
            </legend>
            {isBuiltIn ? (
              <p className="mb-4 text-quiet">
                The project has these already, and keeps what it has: change it there too, in the
                product’s own settings. Corrected here, they no longer stop the run.
              </p>
            ) : null}
            <SettingFields fields={fields} values={values} errors={errors} currency={currency} />
          </fieldset>
        ))}
        <div className="flex flex-col-reverse gap-3 sm:flex-row sm:justify-end">
          <ButtonLink to={page}>Leave them as they are</ButtonLink>
          <SubmitButton pendingText="Correcting …">Correct the settings</SubmitButton>
        </div>
      </Form>
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
    text: "Wait for the run to end, or cancel it. Then the settings can be corrected, and the run goes on.",
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

/** Where a holder finds the act; nothing for anybody else. */
export function CorrectSettings({ request }: { request: RequestOnPage }) {
  const { standing, requestId } = request;
  if (standing !== "mine" && standing !== "supervising") return null;
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
  const { failure, timeline, requestId } = request;
  if (failure?.code !== "answers_refused") return null;
  // Newest first.
  const last = timeline.find(({ kind }) => kind === "failed" || kind === "settings_corrected");
  if (last?.kind === "settings_corrected") {
    return (
      <p className="mt-2 font-semibold">
        The settings were corrected since. A retry builds with them.
      </p>
    );
  }
  return (
    <p className="mt-2">
      <ButtonLink to={`/desk/requests/${requestId}/settings`} size="sm">
        Correct settings
      </ButtonLink>
    </p>
  );
}
