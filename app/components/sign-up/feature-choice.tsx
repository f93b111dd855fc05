import { useState } from "react";
import type { FeatureOffer } from "#app/domain/onboarding/index.server.ts";
import { Beside } from "../form.tsx";
import { listWords, needWords } from "../list-words.ts";
import { useHasScripts } from "../use-has-scripts.ts";

/**
 * The features to choose from. With scripts, what a choice needs is added at once and said; without,
 * the server adds it and the review says so.
 */
export function FeatureChoice(props: {
  plan: string;
  base: { title: string; description: string };
  features: FeatureOffer[];
  chosen: string[];
  error?: string[];
}) {
  const { plan, base, features, error } = props;
  const [chosen, setChosen] = useState(props.chosen);
  const hasScripts = useHasScripts();
  const neededBy = (name: string) =>
    features.filter(
      (one) => chosen.includes(one.name) && one.needs.some((needed) => needed.name === name),
    );
  const isIn = (name: string) => chosen.includes(name) || neededBy(name).length > 0;
  const toggle = (name: string) =>
    setChosen((now) => (now.includes(name) ? now.filter((one) => one !== name) : [...now, name]));
  return (
    <fieldset
      className={`mb-5 ${error ? "border-l-4 border-error pl-3" : ""}`}
      aria-describedby={error ? "features-error" : undefined}
    >
      <legend className="mb-1 font-semibold">Features</legend>
      <Beside id="features" error={error} />
      <div className="mt-1.5 grid gap-2">
        <Card
          id="feature-base"
          title={base.title}
          description={base.description}
          note="Part of every backend."
          clashes={[]}
          box={{ checked: true, disabled: true, readOnly: true }}
        />
        {features.map((feature, index) => {
          const { name, title, description, missing, clashes } = feature;
          const askers = neededBy(name);
          const added = hasScripts && askers.length > 0 && !chosen.includes(name);
          return (
            <Card
              key={name}
              id={index === 0 ? "features" : `feature-${name}`}
              title={title}
              description={description}
              note={noteOf(feature, plan, added ? askers : [])}
              clashes={clashes
                .filter((other) => isIn(name) && isIn(other.name))
                .map(
                  (other) => `It cannot be chosen together with ${other.title}. ${other.reason}`,
                )}
              box={{
                // What comes with another is not sent; it keeps the focus of who unticked it.
                name: added ? undefined : "features",
                value: name,
                checked: missing === null && (chosen.includes(name) || added),
                disabled: missing !== null,
                "aria-disabled": added || undefined,
                onChange: () => (added ? undefined : toggle(name)),
              }}
            />
          );
        })}
      </div>
    </fieldset>
  );
}

/**
 * Why it cannot be had, why it is ticked, or what it brings; and what it works with.
 * @param askers those for which it was added
 */
function noteOf(feature: FeatureOffer, plan: string, askers: FeatureOffer[]): string | null {
  const { title, needs, missing, worksWith } = feature;
  if (missing) return `Not in ${plan}${missing.partOf ? `; part of ${missing.partOf}` : ""}.`;
  const need =
    askers.length > 0
      ? `Added: ${needWords(askers.map((asker) => asker.title))} ${title}.`
      : needs.length > 0
        ? `${title} needs ${listWords(needs.map((needed) => needed.title))}.`
        : "";
  const beside = worksWith.length > 0 ? `Works with ${listWords(worksWith)}, where chosen.` : "";
  return [need, beside].filter(Boolean).join(" ") || null;
}

function Card(props: {
  id: string;
  title: string;
  description: string;
  note: string | null;
  /** Why it cannot stand beside what is ticked, too. */
  clashes: string[];
  box: React.InputHTMLAttributes<HTMLInputElement>;
}) {
  const { id, title, description, note, clashes, box } = props;
  return (
    <label
      htmlFor={id}
      className={`flex gap-3 rounded-box border px-4 py-3 has-checked:border-primary has-checked:bg-base-200 ${
        box.disabled || box["aria-disabled"]
          ? "cursor-not-allowed border-base-300"
          : "cursor-pointer border-secondary"
      }`}
    >
      <input
        type="checkbox"
        id={id}
        aria-labelledby={`${id}-title`}
        aria-describedby={`${id}-about`}
        className="checkbox checkbox-sm mt-0.5 shrink-0 border-secondary checked:border-primary aria-disabled:opacity-50"
        {...box}
      />
      <span className="min-w-0 grow">
        <span id={`${id}-title`} className="block font-semibold">
          {title}
        </span>
        <span id={`${id}-about`} className="block text-sm">
          <span className="block text-quiet">{description}</span>
          {note ? (
            <span className="mt-1 block font-medium" aria-live="polite">
              {note}
            </span>
          ) : null}
          <span aria-live="polite">
            {clashes.map((clash) => (
              <span key={clash} className="mt-1 block font-medium text-error">
                {clash}
              </span>
            ))}
          </span>
        </span>
      </span>
    </label>
  );
}
