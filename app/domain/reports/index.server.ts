export { type Dashboard, readDashboard } from "./dashboard.ts";
export type { DueRequest, Load } from "./now.ts";
export type { DayFlow, Durations, Flow, RunOutcomes, Spread, WeekPromises } from "./past.ts";
export type { Window } from "./windows.ts";
