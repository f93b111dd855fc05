/** `npm run templates -- check | new | release`: the templates of customers' databases. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { BerthError } from "#app/platform/errors.ts";
import { checkTemplates } from "./templates/check.ts";
import { BusyError } from "./templates/exclusive.ts";
import { asFinding } from "./templates/findings.ts";
import { newTemplate } from "./templates/new.ts";
import {
  NotReleasableError,
  releaseTemplate,
  requireReleasable,
  undoKilledRelease,
} from "./templates/release.ts";
import { jsonOf, textOf } from "./templates/report.ts";

const USAGE = `npm run templates -- check [NAME…] [--json]   every rule, on fresh databases; exit code 1 when red
npm run templates -- new NAME                a template that passes the check
npm run templates -- release NAME            records the current version for good, when the check is green
--folder DIR names another folder than feature-templates
`;

const say = (text: string) => void process.stdout.write(text);

/** Runs the command; answers the exit code. */
async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      json: { type: "boolean" },
      folder: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  const [command, ...names] = positionals;
  const folder = path.resolve(
    values.folder ?? path.join(import.meta.dirname, "..", "feature-templates"),
  );
  const [name] = names;
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new TypeError(`There is no folder ${folder}. Name another with --folder.`);
  if (command === "check") {
    const checked = await checkTemplates(folder, names);
    say(values.json ? jsonOf(checked) : textOf(checked));
    return checked.findings.length === 0 ? 0 : 1;
  }
  if (command === "new" && name && names.length === 1) {
    const files = await newTemplate(folder, name, new Date());
    say(`${files.map((file) => `wrote ${file}\n`).join("")}\n`);
    say(`Next: change them to what you need, then npm run templates -- check ${name}\n`);
    return 0;
  }
  if (command === "release" && name && names.length === 1) {
    // What the catalogue refuses, the check tells better.
    await undoKilledRelease(folder, name)
      .then(() => requireReleasable(folder, name))
      .catch((error) => {
        const isToldByCheck = error instanceof BerthError && !(error instanceof NotReleasableError);
        if (!isToldByCheck) throw error;
      });
    const { findings } = await checkTemplates(folder, [name]);
    if (findings.length > 0) {
      say(
        `${findings.map(({ message }) => message).join("\n")}\n\n${name} is not released: the check is red.\n`,
      );
      return 1;
    }
    const { version, files } = await releaseTemplate(folder, name);
    say(
      `${files.map((file) => `${file}\n`).join("")}\n${name} ${version} is released: commit its files with the lock.\n`,
    );
    return 0;
  }
  const unknown =
    command === undefined || /^(check|new|release)$/.test(command)
      ? ""
      : `There is no command "${command}".\n`;
  process.stderr.write(unknown + USAGE);
  return command === undefined ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const { message, stack } = error as Error;
  const told = error instanceof BerthError ? asFinding(error).message : message;
  const isTold = [BerthError, BusyError, TypeError].some((kind) => error instanceof kind);
  process.stderr.write(`${isTold ? told : stack}\n`);
  process.exitCode = 1;
}
