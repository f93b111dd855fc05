import type { Life } from "./life.ts";

/** Who looks at a page. `newcomer` stands before the last step of the wizard. */
export type Viewer = "stranger" | "newcomer" | "customer" | "admin" | "supervisor";

/** A page that Berth has, in a state worth looking at. */
export interface SomePage {
  name: string;
  viewer: Viewer;
  path(life: Life): string;
  /** 200 unless given. */
  status?: number;
  /** The act that the page is there for: the accessible name of its button, link or field. */
  act?: string | RegExp;
}

const at = (path: string) => () => path;

/** Every page, and those that show another face in another state twice. */
export const PAGES: SomePage[] = [
  { name: "start", viewer: "stranger", path: at("/"), act: "Get your backend" },
  { name: "sign-in", viewer: "stranger", path: at("/sign-in"), act: "Sign in" },
  { name: "forgot-password", viewer: "stranger", path: at("/forgot-password"), act: /link/i },
  { name: "api-reference", viewer: "stranger", path: at("/docs/api") },
  { name: "password-set", viewer: "stranger", path: at("/account/password/done") },
  {
    name: "password-link-used",
    viewer: "stranger",
    path: at("/account/password?token=used"),
    status: 404,
  },
  {
    name: "password-link",
    viewer: "stranger",
    path: ({ passwordLink }) => passwordLink,
    act: "Set the password",
  },
  {
    name: "owner-link",
    viewer: "stranger",
    path: ({ ownerLink }) => ownerLink,
    act: "Sign in as the owner",
  },
  { name: "owner-link-used", viewer: "stranger", path: at("/owner?token=used"), status: 404 },
  { name: "nothing", viewer: "stranger", path: at("/nothing/here"), status: 404 },
  { name: "wizard-1-empty", viewer: "stranger", path: at("/sign-up/business"), act: "Continue" },
  { name: "wizard-1-business", viewer: "newcomer", path: at("/sign-up/business"), act: "Continue" },
  { name: "wizard-2-plan", viewer: "newcomer", path: at("/sign-up/plan"), act: "Continue" },
  { name: "wizard-3-features", viewer: "newcomer", path: at("/sign-up/features"), act: "Continue" },
  { name: "wizard-4-settings", viewer: "newcomer", path: at("/sign-up/settings"), act: "Continue" },
  { name: "wizard-5-backend", viewer: "newcomer", path: at("/sign-up/backend"), act: "Continue" },
  {
    name: "wizard-5-own-project",
    viewer: "newcomer",
    path: at("/sign-up/backend?another"),
    act: /^Database URL/,
  },
  {
    name: "wizard-6-review",
    viewer: "newcomer",
    path: at("/sign-up/review"),
    act: /submit|order/i,
  },
  { name: "my-requests", viewer: "customer", path: at("/requests") },
  { name: "tracking-waiting", viewer: "customer", path: ({ pending }) => `/requests/${pending}` },
  { name: "tracking-claimed", viewer: "customer", path: ({ claimed }) => `/requests/${claimed}` },
  { name: "tracking-asked", viewer: "customer", path: ({ asked }) => `/requests/${asked}` },
  {
    name: "tracking-cancelled",
    viewer: "customer",
    path: ({ cancelled }) => `/requests/${cancelled}`,
  },
  { name: "tracking-ready", viewer: "customer", path: ({ completed }) => `/requests/${completed}` },
  { name: "tracking-failed", viewer: "customer", path: ({ failed }) => `/requests/${failed}` },
  { name: "queue", viewer: "admin", path: at("/desk/queue") },
  { name: "queue-all", viewer: "admin", path: at("/desk/queue?status=all") },
  { name: "queue-empty", viewer: "admin", path: at("/desk/queue?q=nobody-has-this-name") },
  {
    name: "request-waiting",
    viewer: "admin",
    path: ({ pending }) => `/desk/requests/${pending}`,
    act: /claim/i,
  },
  { name: "request-claimed", viewer: "admin", path: ({ claimed }) => `/desk/requests/${claimed}` },
  {
    name: "request-ready",
    viewer: "admin",
    path: ({ completed }) => `/desk/requests/${completed}`,
  },
  { name: "request-failed", viewer: "admin", path: ({ failed }) => `/desk/requests/${failed}` },
  {
    name: "settings-correction",
    viewer: "admin",
    path: ({ claimed }) => `/desk/requests/${claimed}/settings`,
    act: "Correct the settings",
  },
  {
    name: "settings-built-in",
    viewer: "admin",
    path: ({ completed }) => `/desk/requests/${completed}/settings`,
  },
  {
    name: "credentials",
    viewer: "admin",
    path: ({ claimed }) => `/desk/requests/${claimed}/credentials`,
    act: /test/i,
  },
  {
    name: "credentials-submitted",
    viewer: "admin",
    path: ({ completed }) => `/desk/requests/${completed}/credentials`,
  },
  {
    name: "run-succeeded",
    viewer: "admin",
    path: ({ completed }) => `/desk/requests/${completed}/run`,
  },
  {
    name: "run-failed",
    viewer: "admin",
    path: ({ failed }) => `/desk/requests/${failed}/run`,
    act: /retry|again/i,
  },
  { name: "staff-seen-by-admin", viewer: "admin", path: at("/desk/staff") },
  { name: "staff", viewer: "supervisor", path: at("/desk/staff"), act: /invite/i },
  { name: "staff-member", viewer: "supervisor", path: ({ member }) => `/desk/staff/${member}` },
  { name: "staff-invite", viewer: "supervisor", path: at("/desk/staff/invite"), act: /invitation/ },
  { name: "outbox", viewer: "admin", path: at("/desk/outbox") },
  { name: "audit", viewer: "admin", path: at("/desk/audit") },
  { name: "templates", viewer: "supervisor", path: at("/desk/templates") },
  { name: "dashboard", viewer: "supervisor", path: at("/desk/dashboard") },
  {
    name: "desk-nothing",
    viewer: "admin",
    path: at("/desk/requests/00000000-0000-7000-8000-000000000000"),
    status: 404,
  },
];
