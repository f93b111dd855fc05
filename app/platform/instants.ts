/** An instant as it leaves the domain: ISO 8601 in UTC. */
export const iso = (instant: Date | null) => instant?.toISOString() ?? null;
