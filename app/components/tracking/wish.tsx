import type { ReactNode } from "react";
import { FoldedSettings } from "../settings-of-features.tsx";
import { Facts, Mono } from "../ui.tsx";
import type { TrackingOnPage } from "./tracking-on-page.ts";

/** What the customer asked for, and what was promised. */
export function Wish({ tracking }: { tracking: TrackingOnPage }) {
  const { company, plan, region, features, settings, promised, requestId, backend } = tracking;
  const items: [string, ReactNode][] = [
    ["Company", company],
    ["Plan", plan],
    ["Region", region],
  ];
  if (!backend) items.push(["Features", features.map(({ title }) => title).join(", ")]);
  if (promised) items.push(["Our promise", `Ready ${promised}, ${tracking.zone}, at the latest`]);
  items.push(["Reference", <Mono key="reference">{requestId}</Mono>]);
  return (
    <>
      <Facts items={items} aligned />
      <FoldedSettings title="Your answers to the features’ questions" settings={settings} />
    </>
  );
}
