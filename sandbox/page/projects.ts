import type { ControlParts } from "../control.ts";
import { credentialsJson, GRANT_MODES, KEY_KINDS } from "../control.ts";
import { REGIONS } from "../management/projects.ts";
import type { Answer, Call, Handler } from "../platform/http.ts";
import { NoPortLeftError, WrongStatusError } from "../projects/lifecycle.ts";
import type { Project, ProjectStatus } from "../projects/project.ts";
import { type Html, html } from "./html.ts";
import { page } from "./layout.ts";

const STATUS_WORDS: Record<ProjectStatus, string> = {
  UNKNOWN: "being created",
  COMING_UP: "coming up",
  ACTIVE_HEALTHY: "ready",
  INIT_FAILED: "could not be created; the sandbox's log says why",
  PAUSING: "pausing",
  PAUSE_FAILED: "could not be paused",
  INACTIVE: "paused",
  RESTORING: "being restored",
  RESTORE_FAILED: "could not be restored",
  GOING_DOWN: "being deleted",
  REMOVED: "deleted",
};

const PASSING: ProjectStatus[] = ["UNKNOWN", "COMING_UP", "PAUSING", "RESTORING", "GOING_DOWN"];

/** Copy buttons exist only where they can work, so the page has none without a script. */
const COPY_SCRIPT = `
for (const box of document.querySelectorAll(".secret")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy " + box.dataset.name);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(box.querySelector("code").textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  box.append(button);
}
`;

const statusHtml = (project: Project): Html => {
  const kind =
    project.status === "ACTIVE_HEALTHY" ? "good" : /FAILED$/.test(project.status) ? "bad" : "";
  return html`<span class="status ${kind}">${STATUS_WORDS[project.status]}</span>`;
};

const options = (values: readonly string[], selected: string) =>
  values.map((value) =>
    value === selected ? html`<option selected>${value}</option>` : html`<option>${value}</option>`,
  );

const secret = (name: string, value: string | null) =>
  value === null
    ? null
    : html`<h2>${name}</h2><div class="secret" data-name="${name}"><code>${value}</code></div>`;

function indexPage(parts: ControlParts, problem?: string): Answer {
  const projects = parts.store.all().filter((project) => project.status !== "REMOVED");
  const list = projects.map(
    (project) =>
      html`<li><a href="/projects/${project.ref}">${project.name}</a> ${statusHtml(project)}</li>`,
  );
  return page({
    title: "Projects",
    status: problem ? 422 : 200,
    body: html`<h1>Projects</h1>
<p>This program stands in for Supabase on your own machine. Create a project here as you would
there, then copy its address, keys and database URL into Berth.</p>
<p class="soft">A project here has a database, Auth, Storage's buckets and a part of the Data API
(PostgREST): reading and writing tables and calling functions, with the filter “eq” alone. What is
not here is refused with a sentence; sandbox/README.md lists it.</p>
${problem && html`<p class="problem" role="alert">${problem}</p>`}
${projects.length > 0 ? html`<ul class="list">${list}</ul>` : html`<p class="soft">There is no project yet.</p>`}
<h2>Create a project</h2>
<form method="post" action="/projects">
<label for="name">Name</label>
<input type="text" id="name" name="name" required maxlength="256" autocomplete="off">
<label for="region">Region</label>
<select id="region" name="region">${options(REGIONS, "eu-central-1")}</select>
<label for="grants">Default grants in the public schema</label>
<select id="grants" name="grants" aria-describedby="grants-help">${options(GRANT_MODES, "2026-10")}</select>
<p class="soft" id="grants-help">Since 30 October 2026 new tables are closed to the API unless granted;
“legacy” is how older projects are.</p>
<label for="keys">API keys</label>
<select id="keys" name="keys">${options(KEY_KINDS, "both")}</select>
<button class="main">Create project</button>
</form>`,
  });
}

function projectPage(parts: ControlParts, project: Project, problem?: string): Answer {
  const shown = credentialsJson(project, parts.poolerPort(), parts.caFile);
  const button = (act: string, label: string) =>
    html`<form method="post" action="/projects/${project.ref}/${act}"><button>${label}</button></form>`;
  const up = project.status === "ACTIVE_HEALTHY";
  const passing = PASSING.includes(project.status);
  return page({
    title: project.name,
    status: problem ? 409 : 200,
    script: COPY_SCRIPT,
    ...(passing ? { refreshSeconds: 1 } : {}),
    body: html`<h1>${project.name}</h1>
<p>Reference <code>${project.ref}</code>, region ${project.region}, ${statusHtml(project)}.</p>
${problem && html`<p class="problem" role="alert">${problem}</p>`}
<p class="soft">Its Data API is a part of PostgREST: reading and writing tables and calling functions,
with the filter “eq” alone.</p>
${passing && html`<p class="soft">This page looks again by itself.</p>`}
${secret("Project URL", shown.url)}
${secret("anon key (legacy)", shown.anonKey)}
${secret("service_role key (legacy)", shown.serviceRoleKey)}
${secret("Publishable key", shown.publishableKey)}
${secret("Secret key", shown.secretKey)}
${secret("Database URL (session pooler)", shown.databaseUrl)}
<p class="soft">The database speaks TLS only, with a certificate of this sandbox's own authority:
${parts.caFile}</p>
<div class="actions">
${up && button("pause", "Pause")}${project.status === "INACTIVE" && button("restore", "Restore")}
${project.status !== "REMOVED" && button("delete", "Delete project")}
</div>
<p><a href="/">All projects</a></p>`,
  });
}

const notFoundPage = () =>
  page({
    title: "Not found",
    status: 404,
    body: html`<h1>There is no such project</h1><p><a href="/">All projects</a></p>`,
  });

/**
 * The paths of Supabase's dashboard to which others link: each leads to what stands in for it here.
 * `_` in place of a reference means that Supabase asks for the project, as the index does.
 */
const dashboardRoutes: Record<string, Handler> = Object.fromEntries(
  [
    "/dashboard",
    "/dashboard/new/:organization",
    "/dashboard/project/:ref",
    "/dashboard/project/:ref/:section",
    "/dashboard/project/:ref/:section/:page",
  ].map((path) => [
    `GET ${path}`,
    ({ params }: Call): Answer => ({
      status: 302,
      headers: { location: /^[a-z]{20}$/.test(params.ref ?? "") ? `/projects/${params.ref}` : "/" },
    }),
  ]),
);

const seeOther = (location: string): Answer => ({ status: 303, headers: { location } });

/** The pages for people. */
export function pageRoutes(parts: ControlParts): Record<string, Handler> {
  const { store, lifecycle } = parts;
  const act =
    (change: (project: Project) => Promise<void>, then: (project: Project) => string): Handler =>
    async (call: Call) => {
      const project = store.find(call.params.ref ?? "");
      if (!project) return notFoundPage();
      try {
        await change(project);
        return seeOther(then(project));
      } catch (error) {
        if (error instanceof WrongStatusError) return projectPage(parts, project, error.message);
        throw error;
      }
    };
  const own = (project: Project) => `/projects/${project.ref}`;
  const choice = <T extends string>(given: string | null, values: readonly T[]): T | undefined =>
    values.find((value) => value === given);

  return {
    ...dashboardRoutes,
    "GET /": () => indexPage(parts),
    "POST /projects": async (call) => {
      const form = new URLSearchParams(call.body.toString("utf8"));
      const name = form.get("name")?.trim() ?? "";
      if (!name || name.length > 256) {
        return indexPage(parts, "Give the project a name of 1 to 256 characters.");
      }
      try {
        const region = choice(form.get("region"), REGIONS);
        const grants = choice(form.get("grants"), GRANT_MODES);
        const keys = choice(form.get("keys"), KEY_KINDS);
        const project = await lifecycle.create({
          name,
          ...(region ? { region } : {}),
          ...(grants ? { grants } : {}),
          ...(keys ? { keys } : {}),
        });
        return seeOther(own(project));
      } catch (error) {
        if (error instanceof NoPortLeftError) return indexPage(parts, error.message);
        throw error;
      }
    },
    "GET /projects/:ref": (call) => {
      const project = store.find(call.params.ref ?? "");
      return project ? projectPage(parts, project) : notFoundPage();
    },
    "POST /projects/:ref/pause": act(lifecycle.pause, own),
    "POST /projects/:ref/restore": act(lifecycle.restore, own),
    "POST /projects/:ref/delete": act(lifecycle.remove, () => "/"),
  };
}
