/** What the demo tells: fictional companies, what each bought, when, and how it went. */
import type { PlanName } from "#app/domain/catalog/schema.ts";
import type { PRIORITIES } from "#db/catalog.ts";

/**
 * How a request went. `done`: in time. `late`: completed after its promise. `returned`: given back
 * by one admin and taken by another. `asked`: the customer had to mend its credentials. `retried`,
 * `replaced`: a run failed, and was run again as it was, or with other credentials. The others are as
 * far as they are today: `waiting`, `claimed`, `asking` the customer, and `broken`: failed.
 */
export type Ending =
  | "done"
  | "late"
  | "returned"
  | "asked"
  | "retried"
  | "replaced"
  | "withdrawn"
  | "cancelled"
  | "waiting"
  | "claimed"
  | "asking"
  | "broken";

export interface Story {
  company: string;
  industry: string;
  country: string;
  timezone: string;
  region: string;
  plan: PlanName;
  features: string[];
  priority: (typeof PRIORITIES)[number];
  /** Received on the day so many days ago, or exactly so many hours ago. */
  ago: { days: number } | { hours: number };
  ending: Ending;
}

const PLACES = {
  berlin: ["DE", "Europe/Berlin", "eu-central-1"],
  dublin: ["IE", "Europe/Dublin", "eu-west-1"],
  london: ["GB", "Europe/London", "eu-west-2"],
  paris: ["FR", "Europe/Paris", "eu-west-3"],
  stockholm: ["SE", "Europe/Stockholm", "eu-north-1"],
  boston: ["US", "America/New_York", "us-east-1"],
  seattle: ["US", "America/Los_Angeles", "us-west-2"],
  toronto: ["CA", "America/Toronto", "ca-central-1"],
  singapore: ["SG", "Asia/Singapore", "ap-southeast-1"],
  sydney: ["AU", "Australia/Sydney", "ap-southeast-2"],
} as const;

/** What most buyers of a plan take of it. */
const USUAL: Record<PlanName, string[]> = {
  starter: ["inventory"],
  growth: ["pos"],
  business: ["pos", "analytics"],
  enterprise: ["inventory", "pos", "analytics"],
};

const story = (
  ago: number | { hours: number },
  company: string,
  industry: string,
  place: keyof typeof PLACES,
  plan: PlanName,
  priority: Story["priority"] = "normal",
  ending: Ending = "done",
): Story => {
  const [country, timezone, region] = PLACES[place];
  const features = USUAL[plan];
  return {
    ...{ company, industry, country, timezone, region },
    ...{ plan, features, priority, ending },
    ago: typeof ago === "number" ? { days: ago } : ago,
  };
};

/** Oldest first. The same company twice is the same customer, with another request. */
export const STORIES: readonly Story[] = [
  story(55, "Harbour Street Coffee", "Café", "dublin", "starter"),
  story(54, "Millbrook Pharmacy", "Pharmacy", "london", "growth"),
  story(52, "Saltmarsh Outfitters", "Clothing", "boston", "growth", "normal", "late"),
  story(51, "Atelier Verdier", "Furniture", "paris", "business"),
  story(49, "Fjord & Pine", "Furniture", "stockholm", "starter", "low"),
  story(48, "Copperfield Toys", "Toys", "london", "growth"),
  story(46, "Union Square Records", "Music", "boston", "starter"),
  story(45, "Granite Peak Climbing", "Sport", "seattle", "business", "high"),
  story(43, "Bluebird Stationers", "Stationery", "toronto", "growth", "normal", "retried"),
  story(42, "Kestrel Optics", "Optician", "berlin", "enterprise"),
  story(41, "Old Mill Garden Centre", "Garden", "london", "starter"),
  story(39, "Sunday Market Foods", "Groceries", "sydney", "growth"),
  story(38, "Tidewater Marine", "Boats", "boston", "business", "normal", "late"),
  story(37, "Paper Lantern Tea", "Tea", "singapore", "starter", "normal", "withdrawn"),
  story(35, "Ironbridge Hardware", "Hardware", "london", "growth"),
  story(34, "Librairie du Port", "Books", "paris", "growth"),
  story(33, "Northern Lights Lamps", "Lighting", "stockholm", "business"),
  story(31, "Cedar & Clay", "Ceramics", "seattle", "starter"),
  story(30, "Meridian Watches", "Watches", "berlin", "enterprise", "vip"),
  story(29, "Rosewood Florists", "Flowers", "london", "growth", "normal", "returned"),
  story(28, "Maple Row Books", "Books", "toronto", "starter"),
  story(27, "Seven Hills Wine", "Wine", "paris", "business"),
  story(26, "Lakeside Pet Supplies", "Pets", "toronto", "growth", "low"),
  story(24, "Harbour Street Coffee", "Café", "dublin", "growth"),
  story(23, "Stonegate Bakery", "Bakery", "london", "starter", "normal", "asked"),
  story(22, "Orchid House Spa", "Wellness", "singapore", "business"),
  story(21, "Windmill Bicycles", "Bicycles", "berlin", "growth", "normal", "replaced"),
  story(20, "Redwood Camping", "Outdoor", "seattle", "growth"),
  story(19, "Coral Bay Diving", "Sport", "sydney", "starter", "normal", "late"),
  story(17, "Fenwick Fabrics", "Textiles", "london", "business", "high"),
  story(16, "Juniper Home", "Household", "stockholm", "growth"),
  story(15, "Parkside Butchers", "Groceries", "dublin", "starter"),
  story(14, "Beacon Hill Antiques", "Antiques", "boston", "growth", "normal", "cancelled"),
  story(13, "Alpenrose Apotheke", "Pharmacy", "berlin", "enterprise"),
  story(12, "Silver Birch Shoes", "Shoes", "toronto", "business"),
  story(11, "Dockside Fish Market", "Groceries", "dublin", "growth"),
  story(9, "Marigold Kitchenware", "Household", "london", "starter"),
  story(8, "Kestrel Optics", "Optician", "berlin", "business", "high"),
  story(7, "Bramble & Thorn", "Clothing", "seattle", "growth", "normal", "late"),
  story(6, "Papeterie Lumière", "Stationery", "paris", "growth"),
  story(6, "Foxglove Cosmetics", "Cosmetics", "boston", "business", "normal", "retried"),
  story(5, "Lantern Street Cinema", "Cinema", "singapore", "enterprise", "vip"),
  story(4, "Highfield Cheese", "Groceries", "london", "growth", "high"),
  story(3, "Pelican Surf", "Sport", "sydney", "business"),
  story(2, "Hazel & Oak", "Furniture", "stockholm", "growth", "high"),
  story(2, "Willow Tree Toys", "Toys", "toronto", "starter", "normal", "asking"),
  story(
    { hours: 25.7 },
    "Amber Road Jewellers",
    "Jewellery",
    "berlin",
    "business",
    "normal",
    "broken",
  ),
  story({ hours: 20 }, "Northwind Bakery", "Bakery", "berlin", "starter", "normal", "claimed"),
  story({ hours: 9.5 }, "Lighthouse Books", "Books", "berlin", "business", "high", "waiting"),
  story({ hours: 3 }, "Quayside Bicycles", "Bicycles", "berlin", "growth", "normal", "waiting"),
];
