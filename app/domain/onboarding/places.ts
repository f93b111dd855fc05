import { presentZone } from "#app/platform/time-zones.ts";
import { isCountry, REGIONS } from "./schema.ts";

export type RegionCode = (typeof REGIONS)[number];

/** Where the data of each of Supabase's regions lies: continent and place. */
const REGION_PLACES: Record<RegionCode, [continent: string, place: string]> = {
  "us-east-1": ["North America", "North Virginia, United States"],
  "us-east-2": ["North America", "Ohio, United States"],
  "us-west-1": ["North America", "North California, United States"],
  "us-west-2": ["North America", "Oregon, United States"],
  "ca-central-1": ["North America", "Central Canada"],
  "sa-east-1": ["South America", "São Paulo, Brazil"],
  "eu-west-1": ["Europe", "Dublin, Ireland"],
  "eu-west-2": ["Europe", "London, United Kingdom"],
  "eu-west-3": ["Europe", "Paris, France"],
  "eu-central-1": ["Europe", "Frankfurt, Germany"],
  "eu-central-2": ["Europe", "Zurich, Switzerland"],
  "eu-north-1": ["Europe", "Stockholm, Sweden"],
  "ap-south-1": ["Asia and Pacific", "Mumbai, India"],
  "ap-southeast-1": ["Asia and Pacific", "Singapore"],
  "ap-southeast-2": ["Asia and Pacific", "Sydney, Australia"],
  "ap-northeast-1": ["Asia and Pacific", "Tokyo, Japan"],
  "ap-northeast-2": ["Asia and Pacific", "Seoul, South Korea"],
};

/** One entry of a list to choose from. */
export interface Choice {
  value: string;
  label: string;
}

/** Where a region's data lies, in words; a code that Berth does not offer stands for itself. */
export const regionName = (code: string): string =>
  Object.hasOwn(REGION_PLACES, code) ? REGION_PLACES[code as RegionCode][1] : code;

/** The regions, one continent after the other. */
export function listRegions(): Choice[] {
  return REGIONS.map((value) => ({
    value,
    label: `${REGION_PLACES[value][0]}: ${regionName(value)}`,
  })).sort((a, b) => a.label.localeCompare(b.label, "en"));
}

const NAMES = new Intl.DisplayNames("en", { type: "region" });

export const countryName = (code: string): string => NAMES.of(code) ?? code;

const LETTERS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
const countries: Choice[] = LETTERS.flatMap((a) => LETTERS.map((b) => a + b))
  .filter(isCountry)
  .map((value) => ({ value, label: countryName(value) }))
  .sort((a, b) => a.label.localeCompare(b.label, "en"));

/** Every country, in the order of its English name. */
export const listCountries = (): readonly Choice[] => countries;

const places = Intl.supportedValuesOf("timeZone").map(presentZone).sort();
const zones: Choice[] = [...new Set(["UTC", ...places])].map((value) => ({
  value,
  label: value.replaceAll("_", " "),
}));

/** Every time zone by today's name, UTC first. */
export const listTimeZones = (): readonly Choice[] => zones;

/** Offered as suggestions; anything else may be written. */
export const INDUSTRIES: readonly string[] = [
  "Retail",
  "Hospitality",
  "Food production",
  "Manufacturing",
  "Wholesale",
  "Logistics",
  "Health",
  "Education",
  "Professional services",
  "Software",
];
