import { Check, Pause, X } from "lucide-react";

const STATIONS = ["Received", "Waiting", "Preparing", "Building", "Ready"];

/** How it goes at the station where a request is now. */
type Going = "on" | "paused" | "failed";

const GOING: Record<Going, string> = {
  on: ", now",
  paused: ", paused",
  failed: ", stopped here",
};

/** The five stations of every request: which are behind, which is now, and whether it is stuck. */
export function Stations(props: { current: 0 | 1 | 2 | 3 | 4; going?: Going }) {
  const { current, going = "on" } = props;
  return (
    <ol aria-label="Stations of your request" className="grid grid-cols-5">
      {STATIONS.map((name, index) => {
        const isDone = index < current || (index === current && current === 4);
        const isNow = index === current && !isDone;
        return (
          <li key={name} aria-current={index === current ? "step" : undefined} className="relative">
            {index > 0 ? (
              <span
                aria-hidden="true"
                className={`absolute top-[9px] right-[calc(50%+14px)] left-[calc(-50%+14px)] h-0.5 rounded-full ${
                  index <= current ? "bg-primary" : "bg-base-300"
                }`}
              />
            ) : null}
            <span className="relative flex flex-col items-center gap-1.5 text-center">
              <Dot isDone={isDone} isNow={isNow} going={going} />
              <span
                className={`text-xs sm:text-sm ${index === current ? "font-semibold" : "text-quiet"}`}
              >
                {name}
                <span className="sr-only">
                  {isDone ? ", done" : isNow ? GOING[going] : ", to come"}
                </span>
              </span>
            </span>
          </li>
        );
      })}
    </ol>
  );
}

function Dot({ isDone, isNow, going }: { isDone: boolean; isNow: boolean; going: Going }) {
  const base = "flex size-5 items-center justify-center rounded-full";
  if (isNow && going === "failed") {
    return (
      <span className={`${base} bg-error text-error-content`}>
        <X size={14} aria-hidden="true" />
      </span>
    );
  }
  if (isNow && going === "paused") {
    return (
      <span className={`${base} bg-secondary text-secondary-content`}>
        <Pause size={12} aria-hidden="true" />
      </span>
    );
  }
  if (isDone) {
    return (
      <span className={`${base} bg-primary text-primary-content`}>
        <Check size={14} aria-hidden="true" />
      </span>
    );
  }
  if (isNow) {
    return (
      <span className={`${base} border-2 border-primary bg-base-100`}>
        <span className="size-2 rounded-full bg-primary" />
      </span>
    );
  }
  return <span className={`${base} border-2 border-base-300 bg-base-100`} />;
}
