import { type Bindings, type DestinationStream, type Logger, type LoggerOptions, pino } from "pino";
import { redactLine, redactText, redactValue } from "./redact.ts";

export type { Logger };
export { redactText };

/** Levels of LOG_LEVEL, from loudest to quietest. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

type LogMethod = NonNullable<NonNullable<LoggerOptions["hooks"]>["logMethod"]>;

const redactArguments: LogMethod = function logRedacted(args, method) {
  const [first, ...rest] = args as unknown[];
  const safeRest = rest.map(redactValue);
  if (first instanceof Error) {
    // pino would keep the raw error beside the copy, so it is handed over as a plain object.
    const message = safeRest.length > 0 ? safeRest : [redactText(first.message)];
    method.apply(this, [{ err: redactValue(first) }, ...message] as Parameters<typeof method>);
    return;
  }
  method.apply(this, [redactValue(first), ...safeRest] as Parameters<typeof method>);
};

/**
 * The program's logger: one JSON object per line, on standard output unless `destination` is
 * given. Messages, fields, bindings of children and errors are redacted (see `redact.ts`), and
 * the finished line once more; newlines and escape sequences always end inside a JSON string.
 */
export function createLogger(options: {
  level: LogLevel;
  destination?: DestinationStream;
}): Logger {
  // Synchronous, so that the last line before an exit is not lost.
  const target = options.destination ?? pino.destination({ fd: 1, sync: true });
  const log = pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
      },
      // Errors arrive here as redacted plain objects; pino's own serializer would rename them.
      serializers: { err: (value: unknown) => value },
      hooks: { logMethod: redactArguments },
    },
    { write: (line: string) => target.write(redactLine(line)) },
  );
  // Children inherit these methods, so theirs are covered as well.
  const { child, setBindings } = log;
  log.child = function childRedacted(this: Logger, bindings: Bindings, childOptions?: object) {
    return child.call(this, redactValue(bindings) as Bindings, childOptions);
  } as Logger["child"];
  log.setBindings = function setBindingsRedacted(this: Logger, bindings: Bindings) {
    setBindings.call(this, redactValue(bindings) as Bindings);
  };
  return log;
}
