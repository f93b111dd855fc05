import type { DeskRequest } from "#app/domain/provisioning/index.server.ts";

/** A request as its page has it: with the names of places, and where Supabase's pages are. */
export type RequestOnPage = DeskRequest & {
  regionName: string;
  countryName: string;
  newProjectUrl: string;
  projectUrl: string | null;
};
