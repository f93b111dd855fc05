import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import { Link, useLoaderData, useRouteLoaderData } from "@remix-run/react";
import { currentDraft } from "#app/web/wizard.server.ts";
import { Frame } from "../components/frame.tsx";
import { ButtonLink } from "../components/ui.tsx";
import type { loader as rootLoader } from "../root.tsx";

export const meta: MetaFunction = () => [
  { title: "Berth: a Supabase backend for every customer" },
  {
    name: "description",
    content:
      "Sign up, choose a plan and features, and get a running Supabase backend of your own: built step by step, by a time that is promised.",
  },
];

export async function loader(args: LoaderFunctionArgs) {
  return { hasDraft: Boolean((await currentDraft(args))?.draft) };
}

const stations = [
  ["Received", "You name the plan, the features and where your data is kept."],
  [
    "Waiting",
    "Your request stands in line, by the time it is due. You see how many are before it.",
  ],
  ["Preparing", "One of us takes it and sets up a Supabase project, or checks yours."],
  ["Building", "Tables, rules and data are put in, one step after the other."],
  ["Ready", "You get a link that works once, and sign in as the owner."],
] as const;

const promises = [
  ["A project of your own", "Your data lies in a Supabase project that nobody else is in."],
  ["A time that is kept to", "Each plan says within how many hours the backend is ready."],
  ["Keys that stay secret", "They are sealed when they arrive; nobody can read them back."],
  ["Nothing half done", "A step is done whole or not at all, and goes on where it stopped."],
] as const;

export default function Landing() {
  const { hasDraft } = useLoaderData<typeof loader>();
  const visitor = useRouteLoaderData<typeof rootLoader>("root")?.visitor;
  return (
    <Frame>
      <div className="max-w-160 pt-10 sm:pt-20">
        <h1 className="text-3xl/10 font-semibold tracking-tight text-balance sm:text-[2.625rem]/12">
          A backend of its own for your company
        </h1>
        <p className="mt-4 text-lg/7">
          Berth takes you from signing up to a running Supabase project, with the features that you
          choose in it. You go through a few short steps; we build it, and you watch it happen.
        </p>
        <div className="mt-6 flex flex-wrap gap-3">
          <ButtonLink to="/sign-up" variant="primary">
            {hasDraft ? "Go on with your sign-up" : "Get your backend"}
          </ButtonLink>
          {visitor ? null : <ButtonLink to="/sign-in">Sign in</ButtonLink>}
        </div>
      </div>
      <section aria-labelledby="way" className="mt-16">
        <h2 id="way" className="text-xl font-semibold">
          From sign-up to ready
        </h2>
        <ol className="mt-5 grid md:grid-cols-5">
          {stations.map(([name, text], index) => (
            <li key={name} className="relative pb-5 pl-7 md:px-0 md:pt-6 md:pr-5 md:pb-0">
              {index < stations.length - 1 ? (
                <span
                  aria-hidden="true"
                  className="absolute top-4 bottom-[-0.5rem] left-[5px] w-px bg-base-300 md:top-[5px] md:right-0 md:bottom-auto md:left-3 md:h-px md:w-auto"
                />
              ) : null}
              <span
                aria-hidden="true"
                className="absolute top-2 left-0 size-[11px] rounded-full border-2 border-primary bg-base-100 md:top-0"
              />
              <b className="font-semibold">{name}</b>
              <span className="block text-[0.9375rem]/6 text-quiet">{text}</span>
            </li>
          ))}
        </ol>
      </section>
      <section aria-labelledby="kept" className="mt-16">
        <h2 id="kept" className="text-xl font-semibold">
          What you can count on
        </h2>
        <dl className="mt-5 grid gap-x-10 gap-y-5 sm:grid-cols-2">
          {promises.map(([name, text]) => (
            <div key={name}>
              <dt className="font-semibold">{name}</dt>
              <dd className="text-quiet">{text}</dd>
            </div>
          ))}
        </dl>
      </section>
      <section aria-labelledby="staff" className="mt-16 max-w-160">
        <h2 id="staff" className="text-xl font-semibold">
          If you work here
        </h2>
        <p className="mt-2">
          <Link to="/sign-in">Sign in to the desk</Link>: the queue, ordered by what is due, each
          request with its next act, and every run step by step. Programs use the API.{" "}
          <Link to="/docs/api">Read the API reference</Link>.
        </p>
      </section>
    </Frame>
  );
}
