import type { MetaFunction } from "@remix-run/node";
import { Link } from "@remix-run/react";
import { Frame } from "../components/frame.tsx";

export const meta: MetaFunction = () => [
  { title: "Berth: a Supabase backend for every customer" },
  {
    name: "description",
    content:
      "Berth takes a customer from sign-up to a running, isolated Supabase backend: a queue for people, a migration runner for the rest.",
  },
];

const stations = [
  ["Received", "A request names the plan, the features and the region."],
  ["Waiting", "It stands in the queue, ordered by the time it is due."],
  ["Preparing", "An admin claims it and supplies a Supabase project."],
  ["Building", "The runner applies schema, policies and data, step by step."],
  ["Ready", "The owner gets a link of one use and signs in."],
] as const;

export default function Landing() {
  return (
    <Frame>
      <div className="wrap">
        <div className="narrow-text lead">
          <h1>A backend of their own, for every customer</h1>
          <p>
            Berth takes a customer from sign-up to a running, isolated Supabase project. People
            decide where judgement is needed; machinery does the rest, and can be stopped and
            resumed at any point.
          </p>
          <p>
            Requests come in through the API. <Link to="/docs/api">Read the API reference</Link>
          </p>
        </div>
        <section aria-labelledby="way">
          <h2 id="way">The way of a request</h2>
          <ol className="stations">
            {stations.map(([name, text]) => (
              <li key={name}>
                <b>{name}</b> <span className="quiet">{text}</span>
              </li>
            ))}
          </ol>
        </section>
        <section aria-labelledby="kept" className="narrow-text">
          <h2 id="kept">What it keeps to</h2>
          <dl className="people">
            <dt>Isolation</dt>
            <dd>Each customer’s data lies in a project and database of its own.</dd>
            <dt>Secrets</dt>
            <dd>
              Credentials are sealed when they arrive; nobody can read them back, and each use is
              recorded.
            </dd>
            <dt>Migrations</dt>
            <dd>
              A file and its ledger entry commit together or not at all. After a failure, a run goes
              on from the step that failed.
            </dd>
            <dt>Records</dt>
            <dd>
              Every act on a request, credential or run leaves an audit record that cannot be
              changed.
            </dd>
          </dl>
        </section>
      </div>
    </Frame>
  );
}
