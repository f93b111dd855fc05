import type { Question } from "#app/domain/catalog/index.server.ts";
import { answerInWords, PREFILLED } from "../question-words.ts";
import { Table } from "../table.tsx";
import { Mono } from "../ui.tsx";

/** What one feature asks, at least one question. */
export interface QuestionsOfFeature {
  name: string;
  title: string;
  questions: Question[];
}

/** Where the page's contents lead to it, and what they call it. */
export const QUESTIONS = { id: "parameters", title: "What the features ask" };

/** What an API call answers under `parameters`: the questions of each feature, from the catalogue. */
export function Questions({ features }: { features: QuestionsOfFeature[] }) {
  if (features.length === 0) return null;
  return (
    <section aria-labelledby={QUESTIONS.id} className="mt-10 border-t border-base-300 pt-8">
      <h2 id={QUESTIONS.id} className="text-xl font-semibold">
        {QUESTIONS.title}
      </h2>
      <p className="mt-2 text-quiet">
        The answers that <Mono>parameters</Mono> holds, feature by feature. What is left out is what
        stands there beforehand.
      </p>
      {features.map(({ name, title, questions }) => (
        <div key={name} className="mt-6">
          <h3 className="font-semibold">
            {title} <Mono>{name}</Mono>
          </h3>
          <div className="mt-2">
            <QuestionTable caption={`What ${title} asks`} questions={questions} />
          </div>
        </div>
      ))}
    </section>
  );
}

function QuestionTable({ caption, questions }: { caption: string; questions: Question[] }) {
  return (
    <Table caption={caption} foldBelow="sm">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Asks</th>
          <th scope="col">Answer</th>
          <th scope="col">Left out</th>
        </tr>
      </thead>
      <tbody>
        {questions.map((asked) => (
          <tr key={asked.name}>
            <th scope="row" className="font-normal whitespace-nowrap">
              <Mono>{asked.name}</Mono>
            </th>
            <td data-label="Asks">{asked.title}</td>
            <td data-label="Answer" className={WIDE}>
              <Values asked={asked} />
            </td>
            <td data-label="Left out" className={WIDE}>
              <Beforehand asked={asked} />
            </td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

/** A line of its own where the table is folded. */
const WIDE = "max-sm:basis-full";

/** How an answer is written that does not say so itself. */
const EXAMPLES: Partial<Record<Question["type"], string>> = {
  currency: "EUR",
  time_zone: "Europe/Berlin",
  locale: "de-AT",
};

function Values({ asked }: { asked: Question }) {
  const example = EXAMPLES[asked.type];
  if (asked.options.length === 0) {
    return (
      <>
        {answerInWords(asked)}
        {example ? (
          <>
            , such as <Mono>{example}</Mono>
          </>
        ) : null}
      </>
    );
  }
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
