import type { RequestStatus } from "#app/domain/queue/index.server.ts";

/** Whom to ask about a request that somebody else has. Only what is being prepared can be given back. */
export function whomToAsk(
  holder: { name: string; hasLeft: boolean } | null,
  status: RequestStatus,
): string {
  const name = holder?.name ?? "whoever has it";
  if (holder?.hasLeft) {
    return `${name} is no longer on the staff. Ask a supervisor to go on with it, or take another one from the queue.`;
  }
  const ask =
    status === "in_progress" ? `${name} to give it back` : "a supervisor to go on with it";
  return `Only ${name} or a supervisor can go on. Take another one from the queue, or ask ${ask}.`;
}
