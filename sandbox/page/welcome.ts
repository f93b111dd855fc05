import type { Answer } from "../platform/http.ts";
import type { Project } from "../projects/project.ts";
import { html } from "./html.ts";
import { page } from "./layout.ts";

/**
 * Reads what Auth's redirect left behind the `#`, which no server ever sees, and proves the session
 * by asking Auth whose it is. With the session a password can be chosen: the link works but once.
 */
const SCRIPT = `
(async () => {
  const out = document.getElementById("outcome");
  const form = document.getElementById("choose");
  const values = new URLSearchParams(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
  const say = (text, kind) => { out.textContent = text; out.className = "status " + kind; };
  if (values.get("error_code") === "otp_expired") {
    return say("This link was used already, or is too old. If you have chosen a password, sign in with it; else ask for a new link.", "bad");
  }
  if (values.get("error")) {
    return say(values.get("error_description") + " (" + values.get("error_code") + "). Ask for a new link.", "bad");
  }
  const token = values.get("access_token");
  if (!token) return;
  const auth = async (path, init = {}) => {
    const answer = await fetch("/auth/v1/" + path, {
      ...init,
      headers: { apikey: out.dataset.key, authorization: "Bearer " + token, "content-type": "application/json" },
    }).catch(() => null);
    if (!answer) return { problem: "The project did not answer. Is it running?" };
    const body = await answer.json();
    return answer.ok ? { body } : { problem: body.msg };
  };
  const user = await auth("user");
  if (user.problem) return say("The session was refused: " + user.problem, "bad");
  say("Signed in as " + user.body.email, "good");
  form.hidden = false;
  form.elements.username.value = user.body.email;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const told = document.getElementById("told");
    const { problem } = await auth("user", {
      method: "PUT",
      body: JSON.stringify({ password: form.elements.password.value }),
    });
    told.textContent = problem || "Your password is kept. From now on you sign in with " + user.body.email + " and this password.";
    told.className = "status " + (problem ? "bad" : "good");
    if (!problem) form.elements.password.value = "";
  });
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
<form id="choose" hidden><h2>Choose a password</h2>
<p>The link works only once. With a password you can come back.</p>
<input type="text" name="username" autocomplete="username" hidden>
<label for="password">New password</label>
<input type="password" id="password" name="password" required autocomplete="new-password">
<button class="main">Choose this password</button>
<p id="told" aria-live="polite"></p></form>
<p class="soft">A real project would lead to the customer's own site here (its Site URL). What the
stand-in answers at /rest/v1 is a part of PostgREST: select, insert, update, delete and rpc, with the
filter “eq” alone.</p>`,
  });
}
