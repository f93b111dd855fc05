import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Credentials, startTestSandbox, type TestSandbox } from "../test-sandbox.ts";
import { html, trusted } from "./html.ts";

let box: TestSandbox;
beforeAll(async () => {
  box = await startTestSandbox();
});
afterAll(() => box.remove());

const WORDS = "Local stand-in for Supabase";
const NASTY = `<script>alert("1")</script> & 'x'`;
const post = (path: string, body: Record<string, string> = {}, headers = {}) =>
  fetch(`${box.url}${path}`, {
    method: "POST",
    body: new URLSearchParams(body),
    headers,
    redirect: "manual",
  });

/** `fetch` writes the Host header itself, so a forged one needs the plain client. */
function withHost(host: string, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const call = request(`${box.url}${path}`, { headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    call.on("error", reject).end();
  });
}

describe("the page", () => {
  let location: string;

  test("creates a project by a plain form, and shows what a person copies", async () => {
    const index = await (await fetch(`${box.url}/`)).text();
    expect(index).toContain(WORDS);
    expect(index).toMatch(/a part of the Data API\s+\(PostgREST\)/);
    const made = await post("/projects", { name: NASTY, grants: "legacy", keys: "both" });
    expect(made.status).toBe(303);
    location = `${made.headers.get("location")}`;
    const ref = location.split("/").at(-1);
    let shown: Credentials;
    do shown = await (await fetch(`${box.url}/sandbox/projects/${ref}`)).json();
    while (shown.status !== "ACTIVE_HEALTHY");
    expect(shown.grants).toBe("legacy");
    const answer = await fetch(`${box.url}${location}`);
    const text = await answer.text();
    for (const part of [
      WORDS,
      shown.ref,
      shown.url,
      `${shown.anonKey}`,
      `${shown.serviceRoleKey}`,
      `${shown.publishableKey}`,
      `${shown.secretKey}`,
      shown.databaseUrl,
    ]) {
      expect(text).toContain(part);
    }
  });

  test("makes every name inert, under a policy without foreign code", async () => {
    for (const path of ["/", location]) {
      const answer = await fetch(`${box.url}${path}`);
      const text = await answer.text();
      expect(text).not.toContain(NASTY);
      expect(text).toContain("&lt;script&gt;");
      const policy = `${answer.headers.get("content-security-policy")}`;
      expect(policy).toContain("default-src 'none'");
      const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1];
      for (const [tag] of text.matchAll(/<script[^>]*>/g))
        expect(tag).toContain(`nonce="${nonce}"`);
    }
  });

  test("pauses, restores and deletes by plain forms", async () => {
    const ref = location.split("/").at(-1);
    const until = async (status: string) => {
      for (;;) {
        const shown = await (await fetch(`${box.url}/sandbox/projects/${ref}`)).json();
        if (shown.status === status) return;
      }
    };
    expect((await post(`${location}/pause`)).status).toBe(303);
    await until("INACTIVE");
    expect((await post(`${location}/pause`)).status).toBe(409);
    await post(`${location}/restore`);
    await until("ACTIVE_HEALTHY");
    await post(`${location}/delete`);
    await until("REMOVED");
    expect(await (await fetch(`${box.url}/`)).text()).not.toContain(location);
  });

  test("says what is wrong, and what does not exist", async () => {
    const empty = await post("/projects", { name: "  " });
    expect(empty.status).toBe(422);
    expect(await empty.text()).toContain("Give the project a name");
    const none = await fetch(`${box.url}/projects/${"z".repeat(20)}`);
    expect(none.status).toBe(404);
    expect(await none.text()).toContain(WORDS);
    expect((await fetch(`${box.url}/nothing`)).status).toBe(404);
  });

  test("answers the dashboard's paths with the pages that stand in for them", async () => {
    const ref = `${location.split("/").at(-1)}`;
    const leadsTo = async (path: string) => {
      const answer = await fetch(`${box.url}/dashboard${path}`, { redirect: "manual" });
      return answer.status === 302 ? answer.headers.get("location") : answer.status;
    };
    for (const path of ["", "?showConnect=true", "/settings/api-keys", "/settings/database"]) {
      expect(await leadsTo(`/project/${ref}${path}`)).toBe(`/projects/${ref}`);
      expect(await leadsTo(`/project/_${path}`)).toBe("/");
    }
    expect(await leadsTo("/new/_")).toBe("/");
    expect(await leadsTo("/project/%2F%2Fevil.example.com")).toBe("/");
    expect(await leadsTo("/nothing")).toBe(404);
  });

  test("takes no orders from other sites, and answers to its own name only", async () => {
    const before = await (await fetch(`${box.url}/sandbox/projects`)).json();
    for (const origin of ["https://evil.example.com", "null"]) {
      expect((await post("/projects", { name: "x" }, { origin })).status).toBe(403);
      expect((await post("/sandbox/projects", {}, { origin })).status).toBe(403);
    }
    expect(await (await fetch(`${box.url}/sandbox/projects`)).json()).toEqual(before);
    expect((await post("/projects", { name: " " }, { origin: box.url })).status).toBe(422);
    expect(await withHost("rebound.example.com", "/sandbox/projects")).toBe(403);
    expect(await withHost("localhost:1", "/sandbox/projects")).toBe(200);
  });
});

test("a project's welcome page says that it is a stand-in", async () => {
  const project = await box.project({ name: NASTY });
  const answer = await fetch(`${project.url}/`);
  expect(new URL(answer.url).pathname).toBe("/welcome");
  const text = await answer.text();
  expect(text).toContain(WORDS);
  expect(text).toContain("Signed in as ");
  expect(text).toContain("Choose a password");
  expect(text).toContain("a part of PostgREST");
  expect(text).not.toContain(NASTY);
});

test("html escapes values, and lists and Html inside them once", () => {
  const list = ["<a>", html`<b>${"&"}</b>`, trusted("<hr>")];
  expect(html`<p title="${'"x"'}">${list}${null}${false}${0}</p>`.markup).toBe(
    '<p title="&quot;x&quot;">&lt;a&gt;<b>&amp;</b><hr>0</p>',
  );
});
