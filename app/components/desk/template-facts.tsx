import { Fragment, type ReactNode } from "react";
import type { TemplateItem } from "#app/domain/catalog/index.server.ts";
import { Beforehand } from "../api-reference/questions.tsx";
import { fileKind } from "../file-kinds.ts";
import { Folded } from "../folded.tsx";
import { listWords } from "../list-words.ts";
import { answerInWords } from "../question-words.ts";
import { Facts, Mono } from "../ui.tsx";

const countOf = (count: number, one: string, many: string) =>
  `${count} ${count === 1 ? one : many}`;

type Fact = [label: string, value: ReactNode];

/** What a template stands on and who has it; folded, what it asks, keeps and holds. */
export function TemplateFacts({ template }: { template: TemplateItem }) {
  const { name, version, versions, category, plans, installed } = template;
  const isReleased = versions[0]?.isReleased;
  return (
    <>
      <Facts
        items={[
          [
            "Version",
            <span key="version">
              <Mono>
                {name} {version}
              </Mono>
              , {category}
              {isReleased ? null : <span className="text-quiet"> · not released</span>}
            </span>,
          ],
          ["Needs", needsOf(template)],
          ...optionalOf(template),
          ...conflictsOf(template),
          ["In the plans", listWords(plans)],
          [
            "Installed",
            <span key="installed" className="tabular-nums">
              in {countOf(installed, "backend", "backends")}
            </span>,
          ],
        ]}
      />
      <Folded
        title={
          <span>
            Versions, questions and files<span className="sr-only"> of {template.title}</span>
          </span>
        }
      >
        <Facts items={insideOf(template)} />
      </Folded>
    </>
  );
}

function needsOf({ requires }: TemplateItem): string {
  if (requires.length === 0) return "nothing";
  return listWords(
    requires.map(
      ({ title, range, active }) => `${title} ${range}${active ? "" : " (switched off)"}`,
    ),
  );
}

function optionalOf({ optional }: TemplateItem): Fact[] {
  if (optional.length === 0) return [];
  const words = listWords(optional.map(({ title, range }) => `${title} ${range}`));
  return [["Uses", `${words}, where present`]];
}

function conflictsOf({ conflicts }: TemplateItem): Fact[] {
  if (conflicts.length === 0) return [];
  return [
    [
      "Not beside",
      <List key="conflicts">
        {conflicts.map(({ name, title, reason }) => (
          <li key={name}>
            {title}: <span className="text-quiet">{reason}</span>
          </li>
        ))}
      </List>,
    ],
  ];
}

const List = ({ children }: { children: ReactNode }) => <ul className="grid gap-1">{children}</ul>;

function insideOf({ versions, parameters, buckets, files, statements }: TemplateItem): Fact[] {
  return [
    [
      "Versions",
      <List key="versions">
        {versions.map(({ version, isReleased }) => (
          <li key={version}>
            <Mono>{version}</Mono>{" "}
            <span className="text-quiet">{isReleased ? "released" : "not released"}</span>
          </li>
        ))}
      </List>,
    ],
    [
      "Asks",
      parameters.length === 0 ? (
        "nothing"
      ) : (
        <List key="asks">
          {parameters.map((asked) => (
            <li key={asked.name}>
              {asked.title} <Mono>{asked.name}</Mono> <Details asked={asked} />
            </li>
          ))}
        </List>
      ),
    ],
    [
      "Buckets",
      buckets.length === 0 ? (
        "none"
      ) : (
        <List key="buckets">
          {buckets.map(({ name, isPublic, largestFile, types }) => (
            <li key={name}>
              <Mono>{name}</Mono>{" "}
              <span className="text-quiet">
                {isPublic ? "public" : "private"}
                {largestFile === null ? "" : `, files up to ${sizeInWords(largestFile)}`}
                {types.length === 0 ? "" : `: ${listWords(types.map(fileKind))}`}
              </span>
            </li>
          ))}
        </List>
      ),
    ],
    [
      "Holds",
      `${countOf(files.length, "file", "files")}, ${countOf(statements, "statement", "statements")}`,
    ],
    [
      "Files",
      <List key="files">
        {files.map(({ path, phase, when }) => (
          <li key={path}>
            <Mono>{path.slice(path.indexOf("/") + 1)}</Mono>{" "}
            <span className="text-quiet">
              {phase}
              {when === null ? "" : `, only with ${when}`}
            </span>
          </li>
        ))}
      </List>,
    ],
  ];
}

/** What may be chosen, and what stands there beforehand. */
function Details({ asked }: { asked: TemplateItem["parameters"][number] }) {
  const isOpen = asked.prefill === null && asked.preset === null;
  return (
    <span className="text-quiet">
      {answerInWords(asked)}
      {asked.options.length > 0 ? (
        <>
          {" "}
          (
          {asked.options.map(({ value, title }, index) => (
            <Fragment key={value}>
              {index > 0 ? ", " : ""}
              {title} <Mono>{value}</Mono>
            </Fragment>
          ))}
          )
        </>
      ) : null}
      {isOpen ? ", " : ", beforehand "}
      <Beforehand asked={asked} />
    </span>
  );
}

const UNITS = ["bytes", "KiB", "MiB", "GiB"];
const sizes = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });

function sizeInWords(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${sizes.format(bytes / 1024 ** power)} ${UNITS[power]}`;
}
