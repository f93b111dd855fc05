/** Differences shown at once; the others fold. */
const SHOWN = 12;

/**
 * How a database differs from what its ledger implies, line by line.
 * @param props.known the lines that were accepted earlier; the others are marked as new then
 */
export function DriftDifference(props: {
  lines: readonly string[];
  known?: readonly string[] | undefined;
}) {
  const { lines, known = [] } = props;
  const rest = lines.slice(SHOWN);
  return (
    <section
      aria-label={`${lines.length} ${lines.length === 1 ? "difference" : "differences"}`}
      className="mt-3 max-w-3xl rounded-box border border-base-300 bg-base-200 px-3 py-2"
    >
      <Lines lines={lines.slice(0, SHOWN)} known={known} />
      {rest.length > 0 ? (
        <details>
          <summary className="min-h-6 text-xs font-medium underline underline-offset-2">
            {rest.length} more
          </summary>
          <Lines lines={rest} known={known} />
        </details>
      ) : null}
    </section>
  );
}

function Lines({ lines, known }: { lines: readonly string[]; known: readonly string[] }) {
  return (
    <ul className="font-mono text-xs/5">
      {lines.map((line) => (
        <li key={line} className="py-0.5 pl-3 -indent-3 wrap-anywhere whitespace-pre-wrap">
          {line}
          {known.length === 0 ? null : known.includes(line) ? (
            <span className="text-quiet"> (accepted earlier)</span>
          ) : (
            <strong> (new)</strong>
          )}
        </li>
      ))}
    </ul>
  );
}
