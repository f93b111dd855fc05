import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAIL_KINDS } from "#db/notifications.ts";
import { type LetterFacts, writeLetter } from "./letters.ts";

const facts: LetterFacts = {
  company: "Example",
  contactName: "Ann",
  plan: "Business",
  reference: "00000000-0000-7000-8000-000000000001",
  dueAt: "Thursday 1 October 2026 at 12:00 CEST",
  isLate: false,
  link: "https://berth.example/account/password?token=t",
  linkLifetime: "7 days",
  page: "https://berth.example/requests/1",
  backendUrl: "https://abc.supabase.co",
  problem: "The key was refused.",
};
/** Texts made of what is dangerous in HTML, in headers and in attributes. */
const nasty = fc
  .array(
    fc.constantFrom(
      "<script>alert(1)</script>",
      '"><img src=x onerror=alert(1)>',
      "'",
      '"',
      "&lt;",
      "&",
      "\r\nBcc: evil@example.com",
      "\n\n",
      "\0",
      "\u001b[31m",
      "javascript:alert(1)",
      "Ann",
      "é",
      "🛥",
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => parts.join(""));

/** The text between and inside our own tags, when everything else was escaped. */
const TAGS = /<!doctype html>|<\/?(html|body|p|a)( lang="en"| style="[^"<>]*"| href="[^"<>]*")*>/g;

/** These know of no company. */
const ABOUT_AN_ACCOUNT = ["invitation", "password"];

describe.each(MAIL_KINDS)("the letter %s", (kind) => {
  it("holds nothing of its facts as mark-up, and its subject is one line", () => {
    fc.assert(
      fc.property(nasty, nasty, nasty, (company, contactName, problem) => {
        const letter = writeLetter(kind, {
          ...facts,
          company,
          contactName,
          problem,
          link: problem,
        });
        const rest = letter.html.replaceAll(TAGS, "");
        expect(rest).not.toMatch(/[<>"']/);
        expect(rest.replaceAll(/&#\d+;/g, "")).not.toContain("&");
        expect(letter.subject).not.toMatch(/\p{Cc}/u);
        expect(letter.subject).toBe(letter.subject.trim());
      }),
    );
  });

  it("says the same in plain text, with its reference", () => {
    const letter = writeLetter(kind, facts);
    expect(letter.text).toContain(facts.reference);
    expect(letter.html).toContain(facts.reference);
    expect(letter.subject).toContain(ABOUT_AN_ACCOUNT.includes(kind) ? "Berth" : "Example");
    expect(letter.text).not.toMatch(/undefined|null|\[object/);
    expect(letter.html).not.toMatch(/<(img|script|link|iframe|style)/);
  });
});

describe("the letters with a link", () => {
  it("carry it whole in both forms", () => {
    for (const kind of ["received", "ready", "invitation", "password"] as const) {
      const letter = writeLetter(kind, facts);
      expect(letter.text).toContain(facts.link);
      expect(letter.html).toContain(`href="${facts.link}"`);
    }
    const known = writeLetter("received", { ...facts, link: "" });
    expect(known.html).toContain(`href="${facts.page}"`);
    expect(known.html).not.toContain("token=");
    for (const kind of ["claimed", "failed", "cancelled", "credentials_problem"] as const) {
      expect(writeLetter(kind, facts).text).not.toContain(facts.link);
    }
  });
});

describe.each(["received", "claimed", "failed"] as const)("the letter %s", (kind) => {
  it("promises no moment that has passed, and none of what has ended", () => {
    expect(writeLetter(kind, facts).text).toMatch(/(ready|is due) by Thursday 1 October/);
    const late = writeLetter(kind, { ...facts, isLate: true }).text;
    expect(late).not.toMatch(/We expect|is due/);
    expect(late).toMatch(/longer than we promised, and we are sorry|was due by Thursday/);
    expect(writeLetter(kind, { ...facts, dueAt: "" }).text).not.toMatch(/We expect|due by/);
  });
});

it("names the plan with its article", () => {
  const textOf = (plan: string) => writeLetter("received", { ...facts, plan }).text;
  expect(textOf("Enterprise")).toContain("Your request for an Enterprise backend");
  expect(textOf("Growth")).toContain("Your request for a Growth backend");
});

it("of a cancelled request says what holds whoever cancelled it, and when", () => {
  const { text } = writeLetter("cancelled", facts);
  expect(text).toContain("Nothing more is built for it.");
  expect(text).toContain("the project stays as it is");
  expect(text).not.toMatch(/nothing was built|you gave us/i);
});
