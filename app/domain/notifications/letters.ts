import type { MailKind } from "./outbox.ts";

/** What a letter may speak of. Everything is plain text: it is escaped where it becomes HTML. */
export interface LetterFacts {
  company: string;
  contactName: string;
  plan: string;
  reference: string;
  /** Already formatted, with its zone; empty where the request has ended. */
  dueAt: string;
  /** The promise has passed, and the request has not ended. */
  isLate: boolean;
  /** A one-time link; empty where the letter has none. */
  link: string;
  /** Where its reader follows the request, or Berth itself. */
  page: string;
  /** How long the link lives, in words. */
  linkLifetime: string;
  backendUrl: string;
  problem: string;
}

export interface Letter {
  subject: string;
  text: string;
  html: string;
}

interface Draft {
  subject: string;
  paragraphs: string[];
  button?: { label: string; url: string; note: string };
}

const DRAFTS: Record<MailKind, (facts: LetterFacts) => Draft> = {
  received: (facts) => ({
    subject: `We have your request for ${facts.company}`,
    paragraphs: [
      `Hello ${facts.contactName},`,
      `Your request for ${withArticle(facts.plan)} backend for ${facts.company} is in our queue.${whenReady(facts)}`,
      facts.link
        ? "An account was made for you. Choose a password for it, and you can follow the work."
        : "You can follow the work with the account that you have.",
    ],
    button: facts.link
      ? {
          label: "Choose a password",
          url: facts.link,
          note: `The link works once, within ${facts.linkLifetime}.`,
        }
      : followIt(facts),
  }),
  claimed: (facts) => ({
    subject: `Work on the backend of ${facts.company} has begun`,
    paragraphs: [
      `Hello ${facts.contactName},`,
      `One of us is now preparing the ${facts.plan} backend of ${facts.company}. You have nothing to do.${whenReady(facts)}`,
    ],
    button: followIt(facts),
  }),
  credentials_problem: (facts) => ({
    subject: `We need your help with the Supabase project of ${facts.company}`,
    paragraphs: [
      `Hello ${facts.contactName},`,
      `The Supabase project that you gave us cannot be used as it is. ${facts.problem}`,
      "Mend that at Supabase, then answer this mail: we look at the project again and go on. Until then the clock of your request stands still. Send no passwords or keys by mail.",
    ],
  }),
  ready: (facts) => ({
    subject: `The backend of ${facts.company} is ready`,
    paragraphs: [
      `Hello ${facts.contactName},`,
      `The backend of ${facts.company} is ready, and you are its owner. Open the link to sign in for the first time.`,
    ],
    button: {
      label: "Sign in as the owner",
      url: facts.link,
      note: `The link works once, within ${facts.linkLifetime}. Keep it to yourself. The address of your backend: ${facts.backendUrl}`,
    },
  }),
  failed: (facts) => ({
    subject: `Building the backend of ${facts.company} has stopped`,
    paragraphs: [
      `The run for request ${facts.reference} (${facts.company}, ${facts.plan}) has stopped: ${facts.problem}`,
      `${facts.dueAt ? `It ${facts.isLate ? "was" : "is"} due by ${facts.dueAt}. ` : ""}Mend what is wrong, then retry: the run goes on from the step that failed.`,
    ],
    button: { label: "Open the request", url: facts.page, note: "For staff alone." },
  }),
  cancelled: (facts) => ({
    subject: `Your request for ${facts.company} is cancelled`,
    paragraphs: [
      `Hello ${facts.contactName},`,
      `The request for ${withArticle(facts.plan)} backend for ${facts.company} is cancelled. Nothing more is built for it. If it has a Supabase project already, the project stays as it is, and we destroy our copy of its credentials.`,
      "If you did not ask for this, answer this mail.",
    ],
  }),
  invitation: (facts) => ({
    subject: "You are on the staff of Berth",
    paragraphs: [
      `Hello ${facts.contactName},`,
      facts.link
        ? "An account on Berth was made for you. Choose a password for it, and you can start."
        : "Your account on Berth now opens the desk, too. Sign in as you are used to.",
    ],
    button: facts.link
      ? {
          label: "Choose a password",
          url: facts.link,
          note: `The link works once, within ${facts.linkLifetime}.`,
        }
      : {
          label: "Open Berth",
          url: facts.page,
          note: "Sign in with the address that this mail was sent to.",
        },
  }),
  password: (facts) => ({
    subject: "Choose a new password for Berth",
    paragraphs: [
      `Hello ${facts.contactName},`,
      "Somebody, probably you, asked for a new password for this address. If it was not you, do nothing: your password stays as it is.",
    ],
    button: {
      label: "Choose a new password",
      url: facts.link,
      note: `The link works once, within ${facts.linkLifetime}. It ends all sessions of your account.`,
    },
  }),
};

/** "a Growth", "an Enterprise". */
const withArticle = (plan: string) => `${/^[aeiou]/i.test(plan) ? "an" : "a"} ${plan}`;

/** What the page of the request says of it, too: no mail promises a date that has passed. */
function whenReady({ dueAt, isLate }: LetterFacts): string {
  if (isLate) {
    return " It takes longer than we promised, and we are sorry. The oldest promises come first in our queue.";
  }
  return dueAt ? ` We expect it to be ready by ${dueAt}.` : "";
}

const followIt = (facts: LetterFacts) => ({
  label: "Follow the work",
  url: facts.page,
  note: "Sign in with the address that this mail was sent to.",
});

const escapeHtml = (text: string) =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const oneLine = (text: string) => text.replace(/\p{Cc}+/gu, " ").trim();

/** Writes a letter. Subject on one line; HTML without scripts, images or outside resources. */
export function writeLetter(kind: MailKind, facts: LetterFacts): Letter {
  const { subject, paragraphs, button } = DRAFTS[kind](facts);
  const text = [
    ...paragraphs,
    ...(button ? [`${button.label}: ${button.url}`, button.note] : []),
    `Reference: ${facts.reference}`,
  ].join("\n\n");
  const html = [
    '<!doctype html><html lang="en"><body style="font:16px/1.5 system-ui,sans-serif;max-width:34em;margin:2em auto;padding:0 1em">',
    ...paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`),
    ...(button
      ? [
          `<p><a href="${escapeHtml(button.url)}" style="display:inline-block;padding:.6em 1.2em;border-radius:6px;background:#0b5c63;color:#fff;text-decoration:none">${escapeHtml(button.label)}</a></p>`,
          `<p>${escapeHtml(button.note)}</p>`,
        ]
      : []),
    `<p style="color:#666">Reference: ${escapeHtml(facts.reference)}</p></body></html>`,
  ].join("\n");
  return { subject: oneLine(subject), text, html };
}
