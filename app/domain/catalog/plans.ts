import type { PlanName } from "./schema.ts";

/**
 * The plans. What each includes is said by the templates' manifests; how long each may take, by
 * priority, is here. Prices in cents; a year costs 15 % less than twelve months.
 */
export interface Plan {
  id: PlanName;
  name: string;
  description: string;
  monthlyPrice: number;
  yearlyPrice: number;
  currency: string;
  /** The promise for an ordinary request, in hours, around the clock. */
  targetHours: number;
}

const yearly = (monthly: number) => Math.round((monthly * 12 * 0.85) / 100) * 100;

const plan = (
  id: PlanName,
  name: string,
  targetHours: number,
  monthlyPrice: number,
  description: string,
): Plan => ({
  id,
  name,
  description,
  monthlyPrice,
  yearlyPrice: yearly(monthlyPrice),
  currency: "EUR",
  targetHours,
});

/** In the order in which they are offered. */
export const PLANS: readonly Plan[] = [
  plan("starter", "Starter", 72, 2_900, "Stock and suppliers for one business that begins."),
  plan("growth", "Growth", 48, 7_900, "Stock and a point of sale for a business that sells."),
  plan("business", "Business", 24, 19_900, "Everything Growth has, with key figures and reports."),
  plan("enterprise", "Enterprise", 12, 49_900, "Everything, with the shortest wait."),
];

/** How much of the ordinary promise each priority gets. */
const SHARE = { vip: 0.25, high: 0.5, normal: 1, low: 1.5 } as const;

/** The promise of a plan for each priority, in whole hours. */
export function targetsOf({ targetHours }: Plan) {
  return Object.entries(SHARE).map(([priority, share]) => ({
    priority: priority as keyof typeof SHARE,
    hours: Math.max(1, Math.round(targetHours * share)),
  }));
}
