import { Link } from "@remix-run/react";
import { ArrowLeft, Check, Copy, type LucideIcon } from "lucide-react";
import {
  type ButtonHTMLAttributes,
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";

export type ButtonVariant = "primary" | "secondary" | "quiet" | "danger";
export type ButtonSize = "sm" | "md";

const VARIANTS: Record<ButtonVariant, string> = {
  primary: "btn-primary",
  secondary: "btn-outline border-secondary font-medium",
  quiet: "btn-ghost font-medium",
  danger: "btn-outline btn-error",
};

/** Escape folds a `<details>` that lies over the page, and its summary has the focus again. */
export function closeOnEscape({ key, currentTarget }: KeyboardEvent<HTMLDetailsElement>): void {
  if (key !== "Escape" || !currentTarget.open) return;
  currentTarget.open = false;
  currentTarget.querySelector("summary")?.focus();
}

/** The classes of everything that looks like a button. */
export function buttonClass(variant: ButtonVariant = "secondary", size: ButtonSize = "md"): string {
  return `btn ${VARIANTS[variant]} ${size === "sm" ? "btn-sm text-[0.8125rem]" : ""} shrink-0`;
}

/** What the inside of a button shows: its icon, or a spinner while it is pending. */
function ButtonFace(props: { icon?: LucideIcon; pending?: boolean; children: ReactNode }) {
  const { icon: Icon, pending, children } = props;
  return (
    <>
      {pending ? <span className="loading loading-spinner loading-xs" aria-hidden="true" /> : null}
      {Icon && !pending ? <Icon size={16} aria-hidden="true" /> : null}
      {children}
    </>
  );
}

/** A button that submits nothing unless told so by `type`. Pending, it keeps focus and does nothing. */
export function Button({
  variant,
  size,
  icon,
  pending = false,
  className = "",
  children,
  onClick,
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & {
  variant?: ButtonVariant;
  size?: ButtonSize;
  icon?: LucideIcon;
  pending?: boolean;
}) {
  return (
    <button
      type="button"
      className={`${buttonClass(variant, size)} ${className}`}
      aria-disabled={pending || undefined}
      onClick={(event) => (pending ? event.preventDefault() : onClick?.(event))}
      {...rest}
    >
      <ButtonFace icon={icon} pending={pending}>
        {children}
      </ButtonFace>
    </button>
  );
}

/** A link to another page that is as weighty as a button. */
export function ButtonLink(props: {
  to: string;
  variant?: ButtonVariant;
  size?: ButtonSize;
  icon?: LucideIcon;
  children: ReactNode;
}) {
  const { to, variant, size, icon, children } = props;
  return (
    <Link to={to} className={buttonClass(variant, size)}>
      <ButtonFace icon={icon}>{children}</ButtonFace>
    </Link>
  );
}

/** A part of a page under a heading of its own. */
export function Panel(props: { title?: string; action?: ReactNode; children: ReactNode }) {
  const { title, action, children } = props;
  const heading = useId();
  return (
    <section
      aria-labelledby={title ? heading : undefined}
      className="border-t border-base-300 py-5"
    >
      {title ? (
        <div className="mb-3 flex min-h-8 flex-wrap items-center justify-between gap-x-4 gap-y-2">
          <h2 id={heading} className="text-base font-semibold">
            {title}
          </h2>
          {action}
        </div>
      ) : null}
      {children}
    </section>
  );
}

/**
 * Names and values, the names in a column of their own where there is room.
 * @param props.aligned the column is as wide in every group of the page, so that all values line up
 */
export function Facts(props: { items: [label: string, value: ReactNode][]; aligned?: boolean }) {
  const { items, aligned = false } = props;
  const columns = aligned
    ? "sm:grid-cols-[9rem_minmax(0,1fr)]"
    : "sm:grid-cols-[minmax(7rem,max-content)_minmax(0,1fr)]";
  return (
    <dl className={`grid gap-x-6 gap-y-2 ${columns}`}>
      {items.map(([label, value]) => (
        <div key={label} className="contents">
          <dt className="text-quiet max-sm:text-sm">{label}</dt>
          <dd className="min-w-0 wrap-anywhere max-sm:mb-2">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export type Tone = "neutral" | "primary" | "success" | "warning" | "error" | "info";

const BADGES: Record<Tone, string> = {
  neutral: "text-quiet border-base-300",
  primary: "text-primary border-primary/40",
  success: "text-success border-success/40",
  warning: "text-warning border-warning/40",
  error: "text-error border-error/40",
  info: "text-info border-info/40",
};

/**
 * A word with a colour; the word alone says it.
 * @param props.icon an icon, or the id of a `<symbol>` of this page: a long list draws each but once
 */
export function Badge(props: { tone: Tone; icon?: LucideIcon | string; children: ReactNode }) {
  const { tone, icon: Icon, children } = props;
  return (
    <span
      className={`inline-flex items-center gap-1 rounded-full border px-2 py-0.5 text-xs font-medium whitespace-nowrap ${BADGES[tone]}`}
    >
      {typeof Icon === "string" ? (
        <svg width="12" height="12" aria-hidden="true" className="shrink-0">
          <use href={`#${Icon}`} />
        </svg>
      ) : Icon ? (
        <Icon size={12} aria-hidden="true" className="shrink-0" />
      ) : null}
      {children}
    </span>
  );
}

/** Says why there is nothing, and what would bring something. */
export function EmptyState(props: { title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <div className="mx-auto max-w-md px-4 py-12 text-center">
      <p className="font-semibold">{props.title}</p>
      <div className="mt-1 text-quiet">{props.children}</div>
      {props.action ? <div className="mt-4 flex justify-center">{props.action}</div> : null}
    </div>
  );
}

const WIDTHS = ["w-full", "w-11/12", "w-4/5", "w-2/3"];

/** Holds the place of what is on its way. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  return (
    <div role="status" className="grid gap-3">
      <span className="sr-only">Loading</span>
      {Array.from({ length: lines }, (_, index) => `line ${index}`).map((key, index) => (
        <div key={key} className={`skeleton h-4 ${WIDTHS[index % WIDTHS.length]}`} />
      ))}
    </div>
  );
}

/**
 * The head of a page: its only h1, a sentence below, and its acts at the right.
 * @param props.heading where the h1 is put, so that it can be given the focus
 */
export function PageHeader(props: {
  title: string;
  heading?: RefObject<HTMLHeadingElement>;
  children?: ReactNode;
  actions?: ReactNode;
  back?: { to: string; label: string };
}) {
  const { title, heading, children, actions, back } = props;
  return (
    <header className="mb-5">
      {back ? (
        <Link
          to={back.to}
          className="mb-2 inline-flex min-h-6 max-w-full items-center gap-1 text-sm text-quiet hover:text-base-content hover:underline"
        >
          <ArrowLeft size={14} aria-hidden="true" className="shrink-0" />
          <bdi className="min-w-0 wrap-anywhere">{back.label}</bdi>
        </Link>
      ) : null}
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <h1
          ref={heading}
          tabIndex={heading ? -1 : undefined}
          className="min-w-0 text-2xl/8 font-semibold tracking-tight text-balance wrap-anywhere"
        >
          <bdi>{title}</bdi>
        </h1>
        {actions ? <div className="flex flex-wrap items-center gap-2">{actions}</div> : null}
      </div>
      {children ? <div className="mt-1 text-quiet wrap-anywhere">{children}</div> : null}
    </header>
  );
}

/** A value to take elsewhere: shown, and with scripts copied by a press. */
export function CopyValue({ label, value }: { label: string; value: string }) {
  const [canCopy, setCanCopy] = useState(false);
  const [copied, setCopied] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    setCanCopy(typeof navigator.clipboard?.writeText === "function");
    return () => clearTimeout(timer.current);
  }, []);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value);
    } catch {
      // The browser forbids it; the value stands there to be marked by hand.
      return;
    }
    setCopied(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setCopied(false), 2_000);
  };
  return (
    <span className="inline-flex max-w-full items-center gap-1">
      <span className="min-w-0 font-mono text-[0.9375em] wrap-anywhere">{value}</span>
      {canCopy ? (
        <button
          type="button"
          className="btn btn-ghost btn-xs btn-square shrink-0"
          aria-label={`Copy ${label}`}
          title={`Copy ${label}`}
          onClick={copy}
        >
          {copied ? (
            <Check size={14} aria-hidden="true" className="text-success" />
          ) : (
            <Copy size={14} aria-hidden="true" />
          )}
        </button>
      ) : null}
      <span className="sr-only" aria-live="polite">
        {copied ? "Copied" : ""}
      </span>
    </span>
  );
}

/** References, keys' last four, names of files: what is compared letter by letter. */
export function Mono({ children }: { children: ReactNode }) {
  return <span className="font-mono text-[0.9375em] wrap-anywhere">{children}</span>;
}
