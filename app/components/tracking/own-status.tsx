import {
  Ban,
  CircleCheck,
  CirclePause,
  Clock,
  Hammer,
  Hourglass,
  type LucideIcon,
  UserRound,
} from "lucide-react";
import type { OwnRequest } from "#app/domain/provisioning/index.server.ts";
import { Badge, type Tone } from "../ui.tsx";

interface Look {
  word: string;
  tone: Tone;
  icon: LucideIcon;
}

const LOOKS: Record<OwnRequest["status"], Look> = {
  pending: { word: "Waiting", tone: "neutral", icon: Clock },
  in_progress: { word: "Preparing", tone: "primary", icon: UserRound },
  waiting_on_customer: { word: "Waiting for you", tone: "warning", icon: Hourglass },
  credentials_received: { word: "Building", tone: "primary", icon: Hammer },
  migrating: { word: "Building", tone: "primary", icon: Hammer },
  failed: { word: "Stopped, we are on it", tone: "neutral", icon: UserRound },
  completed: { word: "Ready", tone: "success", icon: CircleCheck },
  cancelled: { word: "Cancelled", tone: "neutral", icon: Ban },
};

const PAUSED: Look = { word: "Paused", tone: "neutral", icon: CirclePause };

/** Where a request stands, in the words of its customer. */
export function OwnStatus({ status, isPaused }: Pick<OwnRequest, "status" | "isPaused">) {
  const { word, tone, icon } = isPaused ? PAUSED : LOOKS[status];
  return (
    <Badge tone={tone} icon={icon}>
      {word}
    </Badge>
  );
}
