import {
  Ban,
  ChevronDown,
  ChevronsUp,
  ChevronUp,
  CircleAlert,
  CircleCheck,
  Clock,
  Hammer,
  Hourglass,
  KeyRound,
  type LucideIcon,
  Minus,
  UserRound,
} from "lucide-react";
import type { DeskStatus } from "#app/domain/queue/desk-status.ts";
import type { PRIORITIES } from "#db/catalog.ts";
import { formatDistance, formatExact, useNow, WithExact } from "./time.tsx";
import { Badge, type Tone } from "./ui.tsx";

const STATUSES: Record<DeskStatus, { word: string; tone: Tone; icon: LucideIcon }> = {
  pending: { word: "Waiting", tone: "neutral", icon: Clock },
  in_progress: { word: "In progress", tone: "primary", icon: UserRound },
  waiting_on_customer: { word: "Waiting on customer", tone: "info", icon: Hourglass },
  credentials_received: { word: "Credentials received", tone: "primary", icon: KeyRound },
  migrating: { word: "Building", tone: "primary", icon: Hammer },
  completed: { word: "Ready", tone: "success", icon: CircleCheck },
  failed: { word: "Failed", tone: "error", icon: CircleAlert },
  // No failure, although its request stands as failed: a person ended it.
  run_cancelled: { word: "Run cancelled", tone: "warning", icon: Ban },
  cancelled: { word: "Cancelled", tone: "neutral", icon: Ban },
};

/** How a request stands, in the words of the desk, for lists of choices. */
export const statusWord = (status: DeskStatus): string => STATUSES[status].word;

/**
 * Where a request stands. `isListed`: one of many, below {@link StatusIcons}; `failureCode`: why it
 * stands as failed.
 */
export function StatusBadge(props: {
  status: DeskStatus;
  isListed?: boolean;
  failureCode?: string | null | undefined;
}) {
  const { status, isListed, failureCode } = props;
  const shown = failureCode === "run_cancelled" && status === "failed" ? failureCode : status;
  const { word, tone, icon } = STATUSES[shown];
  return (
    <Badge tone={tone} icon={isListed ? iconId(shown) : icon}>
      {word}
    </Badge>
  );
}

type Priority = (typeof PRIORITIES)[number];

const PRIORITY_LOOKS: Record<Priority, { word: string; tone: Tone; icon: LucideIcon }> = {
  vip: { word: "VIP", tone: "primary", icon: ChevronsUp },
  high: { word: "High", tone: "primary", icon: ChevronUp },
  normal: { word: "Normal", tone: "neutral", icon: Minus },
  low: { word: "Low", tone: "neutral", icon: ChevronDown },
};

/** A priority in the words of the desk; what is none stands for itself. */
export const priorityWord = (priority: string): string =>
  Object.hasOwn(PRIORITY_LOOKS, priority) ? PRIORITY_LOOKS[priority as Priority].word : priority;

/** Every priority, the highest first. */
export const PRIORITY_CHOICES = Object.entries(PRIORITY_LOOKS).map(([value, { word }]) => ({
  value,
  label: word,
}));

/** How a request stands among others. `isListed`: one of many, below {@link StatusIcons}. */
export function PriorityBadge({ priority, isListed }: { priority: Priority; isListed?: boolean }) {
  const { word, tone, icon } = PRIORITY_LOOKS[priority];
  return (
    <Badge tone={tone} icon={isListed ? iconId(priority) : icon}>
      {word}
    </Badge>
  );
}

const LOOKS = { ...STATUSES, ...PRIORITY_LOOKS };

const iconId = (name: DeskStatus | Priority) => `icon-${name}`;

/** The icons of all badges, once, for a long list: each of its badges refers to one. */
export function StatusIcons() {
  return (
    <svg width="0" height="0" aria-hidden="true" className="absolute">
      {Object.entries(LOOKS).map(([name, { icon: Icon }]) => (
        <symbol key={name} id={iconId(name as DeskStatus | Priority)} viewBox="0 0 24 24">
          <Icon />
        </symbol>
      ))}
    </svg>
  );
}

export type DueState = "fine" | "soon" | "late" | "paused";

const DUE_INK: Record<DueState, string> = {
  fine: "text-primary",
  soon: "text-warning",
  late: "text-error",
  paused: "text-secondary",
};

/** How much of the promise is used up: a bar that fills, and words that say it. */
export function DueBar(props: {
  dueAt: string | Date | null;
  createdAt: string | Date;
  state: DueState;
}) {
  const { dueAt, createdAt, state } = props;
  const now = useNow();
  const due = dueAt === null ? null : new Date(dueAt).getTime();
  const begun = new Date(createdAt).getTime();
  const share = due === null || now === null ? 0 : (now - begun) / Math.max(1, due - begun);
  const filled = state === "late" ? 48 : Math.round(48 * Math.min(1, Math.max(0, share)));
  const face = (
    <>
      <svg
        width="48"
        height="4"
        aria-hidden="true"
        className={`shrink-0 self-center ${DUE_INK[state]}`}
      >
        <rect width="48" height="4" rx="2" className="fill-base-300" />
        <rect width={filled} height="4" rx="2" fill="currentColor" />
      </svg>
      <span className={`tabular-nums ${state === "fine" ? "" : `font-medium ${DUE_INK[state]}`}`}>
        {dueWords(state, due === null || now === null ? null : due - now)}
      </span>
      {dueAt === null ? null : <span className="sr-only">, Due {formatExact(dueAt)}</span>}
    </>
  );
  const look = "inline-flex items-baseline gap-2 whitespace-nowrap";
  if (dueAt === null) return <span className={look}>{face}</span>;
  return (
    <WithExact at={dueAt} before="Due " className={look}>
      {face}
    </WithExact>
  );
}

function dueWords(state: DueState, left: number | null): string {
  if (state === "paused") return "paused";
  if (left === null) return state === "fine" ? "on time" : state;
  if (state === "late") return `${formatDistance(left)} late`;
  return state === "soon" ? `soon, in ${formatDistance(left)}` : `in ${formatDistance(left)}`;
}
