import type { ToldAnswers } from "#app/domain/onboarding/index.server.ts";
import type { DeskRequest } from "#app/domain/provisioning/index.server.ts";

/** A request as its page has it: with the names of places, its answers in words, and where Supabase's pages are. */
export type RequestOnPage = Omit<DeskRequest, "parameters"> & {
  settings: ToldAnswers[];
  /** Whether the visitor finds anything to correct in them. */
  canCorrect: boolean;
  regionName: string;
  countryName: string;
  newProjectUrl: string;
  projectUrl: string | null;
};
