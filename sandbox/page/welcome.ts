import type { Answer } from "../platform/http.ts";
import type { Project } from "../projects/project.ts";
import { html } from "./html.ts";
import { page } from "./layout.ts";

/**
 * Reads what Auth's redirect left behind the `#`, which no server ever sees, and proves the
 * session by asking Auth whose it is.
 */
const SCRIPT = `
(async () => {
  const out = document.getElementById("outcome");
  const values = new URLSearchParams(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
  const say = (text, kind) => { out.textContent = text; out.className = "status " + kind; };
  if (values.get("error")) {
    return say(values.get("error_description") + " (" + values.get("error_code") + "). Ask for a new link.", "bad");
  }
  const token = values.get("access_token");
  if (!token) return;
  const answer = await fetch("/auth/v1/user", {
    headers: { apikey: out.dataset.key, authorization: "Bearer " + token },
  }).catch(() => null);
  if (!answer) return say("The project did not answer. Is it running?", "bad");
  const user = await answer.json();
  if (!answer.ok) return say("The session was refused: " + user.msg, "bad");
  say("Signed in as " + user.email, "good");
})();
`;

/** The page that a link from a project's mail leads to when nothing else is configured. */
export function welcomePage(project: Project): Answer {
  const key = project.keys === "new" ? project.publishableKey : project.anonKey;
  return page({
    title: "Welcome",
    script: SCRIPT,
    body: html`<h1>${project.name}</h1>
<p id="outcome" class="status" data-key="${key}" role="status">Nobody is signed in.</p>
<noscript><p>Turn JavaScript on to see who is signed in: the session stands behind the # of the
address, and only a script can read that.</p></noscript>
<p class="soft">A real project would lead to the customer's own site here (its Site URL). What the
stand-in answers at /rest/v1 is a part of PostgREST: select, insert, update, delete and rpc, with the
filter “eq” alone.</p>`,
  });
}
