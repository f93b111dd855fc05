/** What Berth knows of a customer anyway, and need not ask twice. */
export interface CustomerFacts {
  company: string;
  /** Two letters (ISO 3166-1); empty where it must not decide anything. */
  country: string;
  /** IANA name. */
  timeZone: string;
}

/** Names of what can stand in a field beforehand. */
export const FACTS = ["company", "time_zone", "currency", "locale"] as const;
export type Fact = (typeof FACTS)[number];

/** Countries by the money that their businesses count in (ISO 4217). */
const COUNTRIES: Record<string, string> = {
  EUR: "AD AT AX BE BG BL CY DE EE ES FI FR GF GP GR HR IE IT LT LU LV MC ME MF MQ MT NL PM PT RE SI SK SM TF VA XK YT",
  USD: "AS BQ EC FM GU IO MH MP PR PW SV TC TL UM US VG VI ZW",
  GBP: "GB GG GS IM JE",
  CHF: "CH LI",
  AUD: "AU CC CX HM KI NF NR TV",
  NZD: "CK NU NZ PN TK",
  DKK: "DK FO GL",
  NOK: "BV NO SJ",
  XAF: "CF CG CM GA GQ TD",
  XOF: "BF BJ CI GW ML NE SN TG",
  XCD: "AG AI DM GD KN LC MS VC",
  XPF: "NC PF WF",
  MAD: "EH MA",
  ILS: "IL PS",
};
/** Countries whose money is of their own: `CA` is the country of `CAD`. */
const OWN_MONEY =
  `AED AFN ALL AMD AOA ARS AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CLP CNY COP
  CRC CUP CVE CZK DJF DOP DZD EGP ERN ETB FJD FKP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR INR IQD IRR
  ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MDL MGA MKD MMK MNT MOP MRU MUR
  MVR MWK MXN MYR MZN NAD NGN NIO NPR OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK
  SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX UYU UZS VES VND VUV WST YER
  ZAR ZMW`.split(/\s+/);

const MONEY = new Map([
  ...OWN_MONEY.map((currency) => [currency.slice(0, 2), currency] as const),
  ...Object.entries(COUNTRIES).flatMap(([currency, countries]) =>
    countries.split(" ").map((country) => [country, currency] as const),
  ),
]);

/**
 * The language that most of a country reads (CLDR's likely subtags), with the country where it
 * writes that language in its own way: `DE` is de, `AT` is de-AT.
 */
function localeOf(country: string): string | null {
  if (!MONEY.has(country)) return null;
  const { language } = new Intl.Locale(`und-${country}`).maximize();
  if (language === undefined || language === "und") return null;
  const isHome = new Intl.Locale(language).maximize().region === country;
  return isHome ? language : `${language}-${country}`;
}

/** What Berth knows of a fact; null where it knows nothing. */
export function factOf(fact: Fact, { company, country, timeZone }: CustomerFacts): string | null {
  switch (fact) {
    case "company":
      return company;
    case "time_zone":
      return timeZone;
    case "currency":
      return MONEY.get(country) ?? null;
    case "locale":
      return localeOf(country);
  }
}
