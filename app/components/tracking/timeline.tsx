/** One entry of a request's timeline, in words for the customer. */
export interface TimelineItem {
  key: number;
  /** ISO 8601, for machines. */
  at: string;
  /** "Today at 14:05", in the customer's zone. */
  when: string;
  title: string;
  text: string | null;
}

/** What happened, newest first. */
export function Timeline({ items }: { items: TimelineItem[] }) {
  return (
    <ol className="grid">
      {items.map(({ key, at, when, title, text }, index) => (
        <li
          key={key}
          className="relative grid grid-cols-[20px_minmax(0,1fr)] gap-x-3 pb-5 last:pb-0"
        >
          {index < items.length - 1 ? (
            <span
              aria-hidden="true"
              className="absolute top-2 bottom-[-8px] left-[9px] w-0.5 bg-base-300"
            />
          ) : null}
          <span
            aria-hidden="true"
            className={`relative mt-1.5 ml-1 size-3 rounded-full border-2 ${
              index === 0 ? "border-primary bg-primary" : "border-base-300 bg-base-100"
            }`}
          />
          <div className="min-w-0">
            <div className="flex flex-wrap items-baseline justify-between gap-x-4">
              <p className={index === 0 ? "font-semibold" : "font-medium"}>{title}</p>
              <time dateTime={at} className="text-sm text-quiet tabular-nums">
                {when}
              </time>
            </div>
            {text ? <p className="text-quiet">{text}</p> : null}
          </div>
        </li>
      ))}
    </ol>
  );
}
