import type { Question } from "#app/domain/catalog/index.server.ts";
import { answerInWords, PREFILLED } from "../question-words.ts";
import { Mono } from "../ui.tsx";

/** What one feature asks. */
export interface QuestionsOfFeature {
  name: string;
  title: string;
  questions: Question[];
}

/** What an API call answers under `parameters`: the questions of each feature, from the catalogue. */
export function Questions({ features }: { features: QuestionsOfFeature[] }) {
  const asking = features.filter(({ questions }) => questions.length > 0);
  if (asking.length === 0) return null;
  return (
    <section aria-labelledby="parameters" className="mt-10 border-t border-base-300 pt-6">
      <h2 id="parameters" className="text-xl font-semibold">
        What the features ask
      </h2>
      <p className="mt-2 text-quiet">
        The answers that <Mono>parameters</Mono> holds, feature by feature. What is left out is what
        stands there beforehand.
      </p>
      {asking.map(({ name, title, questions }) => (
        <div key={name} className="mt-6">
          <h3 id={`parameters-${name}`} className="font-semibold">
            {title} <Mono>{name}</Mono>
          </h3>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable. */}
          <section className="overflow-x-auto" aria-labelledby={`parameters-${name}`} tabIndex={0}>
            <table className="table table-sm min-w-130 [&_thead_th]:font-medium [&_thead_th]:text-quiet">
              <thead>
                <tr>
                  {["Name", "Asks", "Answer", "Left out"].map((head) => (
                    <th key={head} scope="col">
                      {head}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {questions.map((asked) => (
                  <tr key={asked.name} className="align-top">
                    <th scope="row" className="font-normal">
                      <Mono>{asked.name}</Mono>
                    </th>
                    <td>{asked.title}</td>
                    <td>
                      <Values asked={asked} />
                    </td>
                    <td>
                      <Beforehand asked={asked} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        </div>
      ))}
    </section>
  );
}

function Values({ asked }: { asked: Question }) {
  if (asked.options.length === 0) return <>{answerInWords(asked)}</>;
  return (
    <ul>
      {asked.options.map(({ value, title }) => (
        <li key={value}>
          <Mono>{value}</Mono> <span className="text-quiet">{title}</span>
        </li>
      ))}
    </ul>
  );
}

/** What an answer is that is left out. */
export function Beforehand({ asked: { prefill, preset } }: { asked: Question }) {
  const value = preset === "" ? "empty" : preset === null ? null : <Mono>{preset}</Mono>;
  if (prefill === null) return value ?? <>must be answered</>;
  if (value === null) return <>{PREFILLED[prefill]}</>;
  return (
    <>
      {PREFILLED[prefill]}, else {value}
    </>
  );
}
