import { useEffect, useId, useRef } from "react";
import { useAnswer } from "./use-answer.ts";

/** All that is wrong, first thing on the page, each a link to its field. Has the focus on arrival. */
export function ErrorSummary(props: {
  errors?: { id: string; text: string }[];
  /** The same by the names of the fields, where these are their ids. */
  fields?: Record<string, string[]> | null;
}) {
  const { fields } = props;
  const errors =
    props.errors ??
    Object.entries(fields ?? {}).flatMap(([id, texts]) => texts.map((text) => ({ id, text })));
  const box = useRef<HTMLDivElement>(null);
  const heading = useId();
  // A second answer with the same errors is news, too; a mere re-render is not, nor is fresh data.
  const answer = useAnswer();
  const texts = errors.map(({ text }) => text).join("\n");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the answer is why this runs
  useEffect(() => {
    if (texts) box.current?.focus();
  }, [answer, texts]);
  if (errors.length === 0) return null;
  return (
    <div
      ref={box}
      role="alert"
      tabIndex={-1}
      aria-labelledby={heading}
      className="mb-6 rounded-box border-2 border-error px-4 py-3"
    >
      <h2 id={heading} className="font-semibold">
        There is a problem
      </h2>
      <ul className="mt-2 grid gap-1">
        {errors.map(({ id, text }) => (
          <li key={`${id} ${text}`}>
            <a href={`#${id}`} className="font-medium text-error underline underline-offset-2">
              {text}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}
