import type { Answer, Field, Operation as OperationFacts, ProblemKind } from "./document.ts";

/** The list of operations, each a link to its place on the page. */
export function Contents({
  operations,
  hasProblems,
}: {
  operations: OperationFacts[];
  hasProblems: boolean;
}) {
  return (
    <nav aria-label="Operations">
      <ul>
        {operations.map(({ id, title }) => (
          <li key={id}>
            <a href={`#${id}`}>{title}</a>
          </li>
        ))}
        {hasProblems ? (
          <li>
            <a href="#problems">Problems</a>
          </li>
        ) : null}
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
      <code>{field.name}</code>
      <span className="kind">{field.kind}</span>
      {field.required ? <span className="must">required</span> : null}
    </>
  );
}

/** Fields of fields are folded: an answer's first level is what a reader looks for. */
function Fields({ fields }: { fields: Field[] }) {
  if (fields.length === 0) return null;
  return (
    <ul className="fields">
      {fields.map((field) => (
        <li key={field.name}>
          {field.fields.length > 0 ? (
            <details>
              <summary>
                <FieldName field={field} />
              </summary>
              <Fields fields={field.fields} />
            </details>
          ) : (
            <FieldName field={field} />
          )}
          {field.description ? (
            <p>
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
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable part must be reachable
    <pre tabIndex={0}>
      <code>{text}</code>
    </pre>
  );
}

function Answers({ answers }: { answers: Answer[] }) {
  return (
    <div className="answers">
      {answers.map((answer) => (
        <details key={answer.status} open={answer.status.startsWith("2")}>
          <summary>
            <b>{answer.status}</b>
            <Prose text={answer.description} />
          </summary>
          <Fields fields={answer.fields} />
          <Example text={answer.example} />
        </details>
      ))}
    </div>
  );
}

/** One operation: address, scopes, what goes in and what comes back. */
export function Operation({ operation }: { operation: OperationFacts }) {
  const { id, method, path, title, description, scopes, parameters, body, answers } = operation;
  return (
    <section className="operation" id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      <div className="address">
        <span className="method">{method}</span>
        <span>{path}</span>
      </div>
      {description.map((text) => (
        <p key={text}>
          <Prose text={text} />
        </p>
      ))}
      {scopes.length > 0 ? (
        <p>
          <span className="quiet">Scope of the key: </span>
          {scopes.map((scope, index) => (
            <span key={scope}>
              {index > 0 ? ", " : ""}
              <code>{scope}</code>
            </span>
          ))}
        </p>
      ) : null}
      {parameters.length > 0 ? <h3>Parameters</h3> : null}
      <Fields fields={parameters} />
      {body ? (
        <>
          <h3>Body</h3>
          <Fields fields={body.fields} />
          <Example text={body.example} />
        </>
      ) : null}
      <h3>Answers</h3>
      <Answers answers={answers} />
    </section>
  );
}

/** What can go wrong; a problem's `type` leads to its entry here. */
export function Problems({ problems }: { problems: ProblemKind[] }) {
  if (problems.length === 0) return null;
  return (
    <section className="operation" id="problems" aria-labelledby="problems-title">
      <h2 id="problems-title">Problems</h2>
      <ul className="fields">
        {problems.map(({ code, status, text }) => (
          <li key={code} id={code}>
            <code>{code}</code>
            <span className="kind">{status}</span>
            {text ? (
              <p>
                <Prose text={text} />
              </p>
            ) : null}
          </li>
        ))}
      </ul>
    </section>
  );
}
