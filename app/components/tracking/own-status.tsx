import {
  Ban,
  CircleCheck,
  Clock,
  Hammer,
  Hourglass,
  type LucideIcon,
  UserRound,
} from "lucide-react";
import type { OwnRequest } from "#app/domain/provisioning/index.server.ts";
import { Badge, type Tone } from "../ui.tsx";

const LOOKS: Record<OwnRequest["status"], { word: string; tone: Tone; icon: LucideIcon }> = {
  pending: { word: "Waiting", tone: "neutral", icon: Clock },
  in_progress: { word: "Preparing", tone: "primary", icon: UserRound },
  waiting_on_customer: { word: "Waiting for you", tone: "warning", icon: Hourglass },
  credentials_received: { word: "Building", tone: "primary", icon: Hammer },
  migrating: { word: "Building", tone: "primary", icon: Hammer },
  failed: { word: "Stopped, we are on it", tone: "neutral", icon: UserRound },
  completed: { word: "Ready", tone: "success", icon: CircleCheck },
  cancelled: { word: "Cancelled", tone: "neutral", icon: Ban },
};

/** Where a request stands, in the words of its customer. */
export function OwnStatus({ status }: { status: OwnRequest["status"] }) {
  const { word, tone, icon } = LOOKS[status];
  return (
    <Badge tone={tone} icon={icon}>
      {word}
    </Badge>
  );
}
