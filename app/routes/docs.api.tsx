import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import { useLoaderData } from "@remix-run/react";
import { questionsOf } from "#app/domain/catalog/index.server.ts";
import { readDocument } from "../components/api-reference/document.ts";
import { Contents, Operation, Problems, Prose } from "../components/api-reference/operation.tsx";
import { QUESTIONS, Questions } from "../components/api-reference/questions.tsx";
import { Frame } from "../components/frame.tsx";
import { PageHeader } from "../components/ui.tsx";
import { openApiDocument } from "../web/openapi.server.ts";

export const meta: MetaFunction = () => [{ title: "API reference · Berth" }];

export function loader({ context }: LoaderFunctionArgs) {
  const { catalog } = context.runtime.services;
  const names = catalog.templates.map(({ name }) => name);
  const features = catalog
    .order(names)
    .map(({ name, title, parameters }) => ({ name, title, questions: questionsOf(parameters) }))
    .filter(({ questions }) => questions.length > 0);
  return { ...readDocument(openApiDocument()), features };
}

export default function ApiReference() {
  const { title, version, description, operations, problems, features } =
    useLoaderData<typeof loader>();
  const parts = [
    ...(features.length > 0 ? [QUESTIONS] : []),
    ...(problems.length > 0 ? [{ id: "problems", title: "Problems" }] : []),
  ];
  return (
    <Frame>
      <div className="grid gap-x-12 gap-y-7 pt-6 md:grid-cols-[14rem_minmax(0,1fr)] md:pt-10">
        <Contents operations={operations} parts={parts} />
        <div className="min-w-0">
          <PageHeader title={title} />
          <div className="grid gap-4">
            {description.map((text) => (
              <p key={text}>
                <Prose text={text} />
              </p>
            ))}
            <p className="text-quiet">
              Version {version}. The same as a document for programs:{" "}
              <a href="/api/openapi.json">/api/openapi.json</a>
            </p>
          </div>
          {operations.map((operation) => (
            <Operation key={operation.id} operation={operation} />
          ))}
          <Questions features={features} />
          <Problems problems={problems} />
        </div>
      </div>
    </Frame>
  );
}
