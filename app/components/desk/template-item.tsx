import { Form } from "@remix-run/react";
import { CircleCheck, CircleSlash, Lock } from "lucide-react";
import type { TemplateItem } from "#app/domain/catalog/index.server.ts";
import { ConfirmButton } from "../confirm.tsx";
import { SubmitButton } from "../form.tsx";
import { needWords } from "../list-words.ts";
import { Badge, Button } from "../ui.tsx";
import { TemplateFacts } from "./template-facts.tsx";

/** A template: what it is, what it stands on, who has it, and its switch. */
export function TemplatePart({
  template,
  maySwitch,
}: {
  template: TemplateItem;
  maySwitch: boolean;
}) {
  const { name, title, description } = template;
  return (
    <article aria-labelledby={name} className="border-t border-base-300 py-5">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0">
          <h2
            id={name}
            className="flex flex-wrap items-center gap-x-3 gap-y-1 text-base font-semibold"
          >
            {title} <TemplateState template={template} />
          </h2>
          <p className="mt-1 max-w-160">{description}</p>
        </div>
        <TemplateSwitch template={template} maySwitch={maySwitch} />
      </div>
      <div className="mt-4">
        <TemplateFacts template={template} />
      </div>
    </article>
  );
}

function TemplateState({ template: { isBase, active, requires } }: { template: TemplateItem }) {
  if (isBase) {
    return (
      <Badge tone="neutral" icon={Lock}>
        Always there
      </Badge>
    );
  }
  if (!active) {
    return (
      <Badge tone="warning" icon={CircleSlash}>
        Switched off
      </Badge>
    );
  }
  if (requires.some((required) => !required.active)) {
    return (
      <Badge tone="warning" icon={CircleSlash}>
        Not offered: it needs what is switched off
      </Badge>
    );
  }
  return (
    <Badge tone="success" icon={CircleCheck}>
      Offered
    </Badge>
  );
}

function TemplateSwitch({ template, maySwitch }: { template: TemplateItem; maySwitch: boolean }) {
  const { name, title, active, isBase } = template;
  if (isBase) return null;
  const word = active ? "Switch off" : "Switch on";
  if (!maySwitch) {
    return (
      <div className="text-right max-sm:text-left">
        <Button size="sm" disabled aria-describedby={`${name}-why`}>
          {word}
        </Button>
        <p id={`${name}-why`} className="mt-1 text-xs text-quiet">
          Only a supervisor may.
        </p>
      </div>
    );
  }
  return (
    <Form method="post" preventScrollReset>
      <input type="hidden" name="template" value={name} />
      {active ? (
        <ConfirmButton
          variant="danger"
          size="sm"
          label={word}
          aria-label={`${word} ${title}`}
          title={`Switch ${title} off?`}
          confirmLabel="Switch off"
          name="active"
          value="false"
          question={name}
        >
          <SwitchingOff template={template} />
        </ConfirmButton>
      ) : (
        <SubmitButton
          size="sm"
          name="active"
          value="true"
          pendingText="Switching on …"
          aria-label={`${word} ${title}`}
        >
          {word}
        </SubmitButton>
      )}
    </Form>
  );
}

function SwitchingOff({ template: { title, neededBy } }: { template: TemplateItem }) {
  return (
    <ul className="grid list-disc gap-1 pl-5">
      <li>New customers can no longer choose {title}.</li>
      {neededBy.length > 0 ? <li>{needWords(neededBy)} it and cannot be chosen either.</li> : null}
      <li>Requests that were taken in still get it; backends that have it keep it.</li>
    </ul>
  );
}
