import type { Uncompared } from "./run-words.ts";

/** What of a database could not be held against its ledger: found, what it means, what to do. */
export function DriftUncompared({ found, means, toDo }: Uncompared) {
  const facts = Object.entries({ Found: found, "It means": means, "What to do": toDo });
  return (
    <section aria-label="What could not be compared" className="border-l-4 border-warning pl-4">
      <dl className="grid max-w-3xl gap-x-4 gap-y-1 wrap-anywhere sm:grid-cols-[6.5rem_minmax(0,1fr)]">
        {facts.map(([label, text]) =>
          text ? (
            <div key={label} className="contents">
              <dt className="text-quiet">{label}</dt>
              <dd className="min-w-0 max-sm:mb-1">{text}</dd>
            </div>
          ) : null,
        )}
      </dl>
    </section>
  );
}
