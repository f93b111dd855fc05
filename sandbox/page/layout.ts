import { randomBytes } from "node:crypto";
import type { Answer } from "../platform/http.ts";
import { type Html, html, trusted } from "./html.ts";

/** The sandbox looks like another place on purpose: a violet header that Berth never has. */
const STYLE = `
:root { color-scheme: light dark; --ink: #1c1a22; --soft: #5f5a6b; --line: #d9d4e3; --paper: #fff;
  --panel: #f7f5fb; --brand: #6b21a8; --on-brand: #fff; --bad: #b42318; --good: #18753c; }
@media (prefers-color-scheme: dark) { :root { --ink: #eeebf5; --soft: #aaa3b8; --line: #3c3648;
  --paper: #17141d; --panel: #201c29; --brand: #d8b4fe; --on-brand: #2a0a45; --bad: #ff9d92;
  --good: #7ee2a2; } header { background: #3b0a63 !important; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 "Inter Variable", Inter, system-ui, sans-serif; color: var(--ink);
  background: var(--paper); font-variant-numeric: tabular-nums; }
header { background: #6b21a8; color: #fff; padding: 12px 16px; }
header a { color: inherit; font-weight: 600; text-decoration: none; }
header p { margin: 0; font-size: 14px; }
main { max-width: 640px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 8px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 32px 0 8px; }
p { margin: 0 0 12px; } .soft { color: var(--soft); font-size: 14px; margin-top: 8px; }
a { color: var(--brand); }
label { display: block; font-weight: 600; margin: 16px 0 4px; }
input, select, button { font: inherit; color: inherit; border: 1px solid var(--line);
  border-radius: 6px; background: var(--paper); padding: 8px 12px; min-height: 44px; max-width: 100%; }
input[type=text], input[type=password], select { width: 100%; }
button { cursor: pointer; }
button.main { background: var(--brand); color: var(--on-brand); border-color: var(--brand);
  font-weight: 600; margin-top: 20px; }
button.main + p { margin-top: 12px; }
:focus-visible { outline: 3px solid var(--brand); outline-offset: 2px; }
ul.list { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
ul.list li { border-bottom: 1px solid var(--line); padding: 12px 0; display: flex; gap: 12px;
  justify-content: space-between; flex-wrap: wrap; overflow-wrap: anywhere; }
.secret { display: flex; gap: 8px; align-items: flex-start; }
.secret code { flex: 1; min-width: 0; user-select: all; overflow-wrap: anywhere; background: var(--panel);
  border: 1px solid var(--line); border-radius: 6px; padding: 10px 12px;
  font: 13px/1.5 "JetBrains Mono", ui-monospace, monospace; }
.actions { display: flex; gap: 12px; flex-wrap: wrap; margin: 24px 0 16px; }
.status { font-weight: 600; } .good { color: var(--good); } .bad { color: var(--bad); }
.problem { border: 1px solid var(--bad); border-radius: 6px; padding: 12px; }
`;

/** Options of a page. */
interface PageOptions {
  title: string;
  body: Html;
  status?: number;
  /** Reload the page after so many seconds. */
  refreshSeconds?: number;
  /** Script that the page carries; the page must work without it. */
  script?: string;
}

/** A whole page: header, the words that say what it is, and a policy that runs no foreign code. */
export function page(o: PageOptions): Answer {
  const nonce = randomBytes(16).toString("base64");
  const refresh = o.refreshSeconds
    ? html`<meta http-equiv="refresh" content="${o.refreshSeconds}">`
    : null;
  const script = o.script ? html`<script nonce="${nonce}">${trusted(o.script)}</script>` : null;
  const document = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">${refresh}
<title>${o.title} · Local stand-in for Supabase</title>
<style nonce="${nonce}">${trusted(STYLE)}</style></head>
<body><header><a href="/">Sandbox</a><p>Local stand-in for Supabase</p></header>
<main>${o.body}</main>${script}</body></html>`;
  return {
    status: o.status ?? 200,
    html: document.markup,
    headers: {
      "content-security-policy":
        `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; ` +
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      // With "no-referrer" a browser sends `Origin: null` with this page's own forms.
      "referrer-policy": "same-origin",
      "x-content-type-options": "nosniff",
    },
  };
}
