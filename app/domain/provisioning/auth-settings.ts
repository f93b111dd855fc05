import { setTimeout as sleep } from "node:timers/promises";
import { ManagementTokenError, ProjectNotFoundError } from "#app/integrations/supabase/errors.ts";
import { type AuthSettings, authSettingsOf } from "../catalog/index.server.ts";
import { NeedsPersonError } from "./errors.ts";
import type { Site, StepFacts } from "./steps.ts";

/** Auth restarts to take a new configuration: it is looked at again for about ten seconds. */
const LOOKS_AT_AUTH = 10;
const LOOK_EVERY_MS = 1_000;

type Setting = keyof AuthSettings;

/** Each setting that is on and off, for people, and where the dashboard has it. */
const WORDS: Record<Setting, { on: string; off: string; dashboard: string }> = {
  disable_signup: {
    on: "sign-up closed",
    off: "sign-up open",
    dashboard: "“Allow new users to sign up” (on means open)",
  },
  external_email_enabled: {
    on: "e-mail sign-in on",
    off: "e-mail sign-in off",
    dashboard: "the e-mail provider",
  },
  external_phone_enabled: {
    on: "phone sign-in on",
    off: "phone sign-in off",
    dashboard: "the phone provider",
  },
  external_anonymous_users_enabled: {
    on: "anonymous sign-in on",
    off: "anonymous sign-in off",
    dashboard: "“Allow anonymous sign-ins”",
  },
  mailer_autoconfirm: {
    on: "e-mail addresses taken unconfirmed",
    off: "e-mail addresses confirmed by a mail",
    dashboard: "“Confirm email” (on means by a mail)",
  },
};

/** "sign-up closed", "e-mail sign-in on", …: what is asked of Auth. */
export const wordsOf = (settings: AuthSettings) =>
  entriesOf(settings).map(([name, value]) => WORDS[name][value ? "on" : "off"]);

const entriesOf = (settings: AuthSettings) => Object.entries(settings) as [Setting, boolean][];

type Seen = Partial<Record<Setting, boolean | null>>;

interface Look {
  /** What is not as it is wanted. */
  others: AuthSettings;
  /** What Auth does not tell anybody, and was read through the Management API. */
  byManagement: Setting[];
  /** What nobody told. */
  unseen: Setting[];
}

/** What the templates of a run need of Auth; nothing, if no template asks for anything. */
export const wantedOf = ({ catalog, templates }: Pick<Site, "catalog" | "templates">) =>
  authSettingsOf(templates.map((name) => catalog.get(name)));

/**
 * Compares Auth with what is wanted of it: as anybody with a key sees it, and by the Management API
 * what Auth does not tell.
 */
export async function lookAtAuth(site: Site, wanted: AuthSettings): Promise<Look> {
  const seen: Seen = await site.visitor.authSettings();
  const isSilent = (name: Setting) => typeof seen[name] !== "boolean";
  const silent = entriesOf(wanted).flatMap(([name]) => (isSilent(name) ? [name] : []));
  const asked: Seen = silent.length === 0 ? {} : await askManagement(site);
  const told = (name: Setting) => seen[name] ?? asked[name] ?? null;
  return {
    others: Object.fromEntries(entriesOf(wanted).filter(([name, value]) => told(name) !== value)),
    byManagement: silent.filter((name) => told(name) !== null),
    unseen: silent.filter((name) => told(name) === null),
  };
}

/** The customer's own project may lie beyond Berth's token. */
const isBeyond = (error: unknown) =>
  error instanceof ManagementTokenError || error instanceof ProjectNotFoundError;

async function askManagement({ management, projectRef }: Site): Promise<Seen> {
  if (!management) return {};
  return management.getAuthConfig(projectRef).catch((error: unknown) => {
    if (isBeyond(error)) return {};
    throw error;
  });
}

/** Whether the Management API took the change. */
async function changeAuth({ management, projectRef }: Site, wanted: AuthSettings) {
  if (!management) return false;
  return management.patchAuthConfig(projectRef, wanted).then(
    () => true,
    (error: unknown) => {
      if (isBeyond(error)) return false;
      throw error;
    },
  );
}

/**
 * Makes Auth what the templates need: whether it is, is looked up in Auth itself; to make it so takes
 * the Management API, or a person.
 */
export async function configureAuth(site: Site): Promise<StepFacts> {
  const wanted = wantedOf(site);
  if (entriesOf(wanted).length === 0) return { outcome: "nothing_asked" };
  const facts = (outcome: string, { byManagement }: Look) => ({
    outcome,
    settings: wordsOf(wanted),
    ...(byManagement.length > 0 ? { readByManagement: byManagement } : {}),
  });
  let look = await lookAtAuth(site, wanted);
  const isDone = () => entriesOf(look.others).length === 0;
  if (isDone()) return facts("already_configured", look);
  const changed = await changeAuth(site, look.others);
  for (let looks = 0; changed && looks < LOOKS_AT_AUTH; looks += 1) {
    look = await lookAtAuth(site, wanted);
    if (isDone()) return facts("configured", look);
    await sleep(LOOK_EVERY_MS, undefined, { signal: site.signal });
  }
  throw leftToPerson(site, look, changed);
}

function leftToPerson({ projectRef }: Site, { others, unseen }: Look, changed: boolean) {
  const open = entriesOf(others);
  const needed = wordsOf(others).join(", ");
  const found = open.map(([name, value]) =>
    unseen.includes(name)
      ? `nobody tells whether ${WORDS[name].on}`
      : WORDS[name][value ? "off" : "on"],
  );
  return new NeedsPersonError({
    message: changed
      ? `Auth does not have what is needed (${needed}), although Supabase took the change.`
      : `Auth must be set by hand (${needed}): Berth may not change this project's settings.`,
    found: found.join(", "),
    needed,
    fix: `In Supabase's dashboard, under Authentication, set ${open.map(([name]) => WORDS[name].dashboard).join(" and ")} so that it is: ${needed}. Then retry.`,
    link: `https://supabase.com/dashboard/project/${projectRef}/auth/providers`,
  });
}
