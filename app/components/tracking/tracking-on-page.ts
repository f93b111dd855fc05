import type { readTracking } from "#app/web/tracking.server.ts";

/** A request as the page shows it that its customer watches. */
export type TrackingOnPage = Awaited<ReturnType<typeof readTracking>>;
