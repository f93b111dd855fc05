import { Form, NavLink, useLocation } from "@remix-run/react";
import {
  Blocks,
  Inbox,
  LayoutDashboard,
  LogOut,
  type LucideIcon,
  Mail,
  Menu,
  ScrollText,
  Users,
} from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import type { StaffRole } from "#app/domain/identity/index.server.ts";
import { SubmitButton } from "./form.tsx";
import { Brand, SkipLink } from "./frame.tsx";
import { MainPart } from "./main-part.tsx";
import { Button, closeOnEscape } from "./ui.tsx";

const PAGES: { to: string; label: string; icon: LucideIcon }[] = [
  { to: "/desk/queue", label: "Queue", icon: Inbox },
  { to: "/desk/dashboard", label: "Dashboard", icon: LayoutDashboard },
  { to: "/desk/staff", label: "Staff", icon: Users },
  { to: "/desk/outbox", label: "Outbox", icon: Mail },
  { to: "/desk/audit", label: "Audit", icon: ScrollText },
  { to: "/desk/templates", label: "Templates", icon: Blocks },
];

interface DeskPerson {
  name: string;
  role: StaffRole;
  onDuty: boolean;
}

/** The desk's frame: where to go at the left, at 390 px behind a menu that needs no scripts. */
export function DeskFrame({ person, children }: { person: DeskPerson; children: ReactNode }) {
  return (
    <div className="min-h-dvh text-sm lg:grid lg:grid-cols-[13rem_minmax(0,1fr)]">
      <SkipLink />
      <header className="border-b border-base-300 bg-base-200 lg:border-r lg:border-b-0">
        <div className="sticky top-0 hidden h-dvh flex-col overflow-y-auto p-3 lg:flex">
          <div className="px-2 pb-3 text-base">
            <Brand to="/desk" />
          </div>
          <Pages />
          <div className="mt-auto pt-6">
            <Person person={person} />
          </div>
        </div>
        <CompactMenu person={person} />
      </header>
      <MainPart className="min-w-0 px-4 py-5 lg:px-8 lg:py-6">{children}</MainPart>
    </div>
  );
}

/** Below 1024 px. It closes when a page was chosen. */
function CompactMenu({ person }: { person: DeskPerson }) {
  const menu = useRef<HTMLDetailsElement>(null);
  const { key } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another place closes the menu
  useEffect(() => {
    if (menu.current) menu.current.open = false;
  }, [key]);
  return (
    <div className="relative flex min-h-12 items-center justify-between px-4 text-base lg:hidden">
      <Brand to="/desk" />
      <details ref={menu} onKeyDown={closeOnEscape}>
        <summary className="btn btn-ghost btn-sm list-none">
          <Menu size={16} aria-hidden="true" />
          Menu
        </summary>
        <div className="absolute inset-x-0 top-full z-40 border-b border-base-300 bg-base-200 px-4 pt-1 pb-4 text-sm shadow-lg">
          <Pages />
          <div className="mt-4">
            <Person person={person} />
          </div>
        </div>
      </details>
    </div>
  );
}

function Pages() {
  return (
    <nav aria-label="Desk">
      <ul className="grid gap-0.5">
        {PAGES.map(({ to, label, icon: Icon }) => (
          <li key={to}>
            <NavLink
              to={to}
              className={({ isActive }) =>
                `flex min-h-9 items-center gap-2.5 rounded-field px-2 hover:bg-base-300/60 ${
                  isActive ? "bg-base-300/60 font-semibold" : ""
                }`
              }
            >
              <Icon size={16} aria-hidden="true" className="shrink-0 text-quiet" />
              {label}
            </NavLink>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Who is signed in, whether work is given to them, and the way out. */
function Person({ person: { name, role, onDuty } }: { person: DeskPerson }) {
  const { pathname, search } = useLocation();
  return (
    <div className="border-t border-base-300 px-2 pt-3">
      <p className="truncate font-semibold" title={name}>
        {name}
      </p>
      <p className="text-quiet capitalize">{role}</p>
      <Form method="post" action="/desk/staff" preventScrollReset className="mt-2">
        <input type="hidden" name="intent" value="on-duty" />
        <input type="hidden" name="back" value={`${pathname}${search}`} />
        <p className="-mr-3 flex items-center justify-between">
          <span className="flex items-center gap-1.5 whitespace-nowrap">
            <span
              aria-hidden="true"
              className={`size-2 rounded-full ${onDuty ? "bg-success" : "border border-secondary"}`}
            />
            {onDuty ? "On duty" : "Off duty"}
          </span>
          <SubmitButton
            variant="quiet"
            size="sm"
            name="onDuty"
            value={onDuty ? "false" : "true"}
            pendingText={onDuty ? "Going off …" : "Going on …"}
          >
            {onDuty ? "Go off duty" : "Go on duty"}
          </SubmitButton>
        </p>
      </Form>
      <form method="post" action="/sign-out">
        <Button type="submit" variant="quiet" size="sm" icon={LogOut} className="-ml-3">
          Sign out
        </Button>
      </form>
    </div>
  );
}
