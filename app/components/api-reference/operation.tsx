import type { Answer, Field, Operation as OperationFacts, ProblemKind } from "./document.ts";

const contentsLink = "block py-1 text-primary wrap-anywhere hover:underline";

/** What the page holds, each a link to its place: the operations, then its other parts. */
export function Contents(props: {
  operations: OperationFacts[];
  parts: { id: string; title: string }[];
}) {
  const { operations, parts } = props;
  return (
    <nav
      aria-label="Operations"
      className="border-b border-base-300 pb-4 text-sm md:sticky md:top-6 md:max-h-[calc(100dvh-3rem)] md:self-start md:overflow-y-auto md:border-b-0"
    >
      <ul>
        {[...operations, ...parts].map(({ id, title }) => (
          <li key={id}>
            <a href={`#${id}`} className={contentsLink}>
              {title}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Text in which `backticks` mean code. */
export function Prose({ text }: { text: string }) {
  // Every second piece stood between backticks; pieces never change places, so indexes name them.
  return text.split("`").map((piece, index) => {
    const key = `${index}`;
    return index % 2 === 1 ? <code key={key}>{piece}</code> : <span key={key}>{piece}</span>;
  });
}

function FieldName({ field }: { field: Field }) {
  return (
    <>
      <code className="font-semibold">{field.name}</code>
      <span className="ml-2 text-sm text-quiet wrap-anywhere">{field.kind}</span>
      {field.required ? (
        <span className="ml-2 text-[0.8125rem] font-semibold">required</span>
      ) : null}
    </>
  );
}

const row = "border-b border-base-300 py-2 text-[0.9375rem]";

/** Fields of fields are folded: an answer's first level is what a reader looks for. */
function Fields({ fields, inner = false }: { fields: Field[]; inner?: boolean }) {
  if (fields.length === 0) return null;
  return (
    <ul className={inner ? "mt-2 border-l border-base-300 pl-4" : "border-t border-base-300"}>
      {fields.map((field) => (
        <li key={field.name} className={`${row} ${inner ? "last:border-b-0" : ""}`}>
          {field.fields.length > 0 ? (
            <details>
              <summary>
                <FieldName field={field} />
              </summary>
              <Fields fields={field.fields} inner />
            </details>
          ) : (
            <FieldName field={field} />
          )}
          {field.description ? (
            <p className="mt-0.5 text-quiet">
              <Prose text={field.description} />
            </p>
          ) : null}
        </li>
      ))}
    </ul>
  );
}

function Example({ text }: { text: string | null }) {
  if (text === null) return null;
  return (
    // Scrollable by keyboard when its lines are too long.
    <pre
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable part must be reachable
      tabIndex={0}
      className="mt-2 mb-4 overflow-x-auto rounded-box border border-base-300 bg-base-200 px-4 py-3 text-sm/5.5"
    >
      <code>{text}</code>
    </pre>
  );
}

function Answers({ answers }: { answers: Answer[] }) {
  return (
    <div className="border-t border-base-300">
      {answers.map((answer) => (
        <details
          key={answer.status}
          open={answer.status.startsWith("2")}
          className="border-b border-base-300"
        >
          <summary className="py-2 text-[0.9375rem]">
            <b className="mr-2 font-semibold tabular-nums">{answer.status}</b>
            <Prose text={answer.description} />
          </summary>
          <Fields fields={answer.fields} />
          <Example text={answer.example} />
        </details>
      ))}
    </div>
  );
}

const part = "mt-10 grid gap-4 border-t border-base-300 pt-8";
const partTitle = "text-xl font-semibold";
const subtitle = "-mb-2 font-semibold";

/** One operation: address, scopes, what goes in and what comes back. */
export function Operation({ operation }: { operation: OperationFacts }) {
  const { id, method, path, title, description, scopes, parameters, body, answers } = operation;
  return (
    <section className={part} id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`} className={partTitle}>
        {title}
      </h2>
      <div className="-mt-2 flex flex-wrap items-baseline gap-x-2.5 gap-y-1 font-mono text-sm wrap-anywhere">
        <span className="font-bold text-primary">{method}</span>
        <span>{path}</span>
      </div>
      {description.map((text) => (
        <p key={text}>
          <Prose text={text} />
        </p>
      ))}
      {scopes.length > 0 ? (
        <p>
          <span className="text-quiet">Scope of the key: </span>
          {scopes.map((scope, index) => (
            <span key={scope}>
              {index > 0 ? ", " : ""}
              <code>{scope}</code>
            </span>
          ))}
        </p>
      ) : null}
      {parameters.length > 0 ? <h3 className={subtitle}>Parameters</h3> : null}
      <Fields fields={parameters} />
      {body ? (
        <>
          <h3 className={subtitle}>Body</h3>
          <Fields fields={body.fields} />
          <Example text={body.example} />
        </>
      ) : null}
      <h3 className={subtitle}>Answers</h3>
      <Answers answers={answers} />
    </section>
  );
}

/** What can go wrong; a problem's `type` leads to its entry here. */
export function Problems({ problems }: { problems: ProblemKind[] }) {
  if (problems.length === 0) return null;
  return (
    <section className={part} id="problems" aria-labelledby="problems-title">
      <h2 id="problems-title" className={partTitle}>
        Problems
      </h2>
      <ul className="border-t border-base-300">
        {problems.map(({ code, status, text }) => (
          <li key={code} id={code} className={`${row} target:bg-base-200`}>
            <code className="font-semibold">{code}</code>
            <span className="ml-2 text-sm text-quiet">{status}</span>
            {text ? (
              <p className="mt-0.5 text-quiet">
                <Prose text={text} />
              </p>
            ) : null}
          </li>
        ))}
      </ul>
    </section>
  );
}
