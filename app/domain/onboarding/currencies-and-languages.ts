import type { Choice } from "./places.ts";

/** Offered first: what most of the customers keep their books in. */
const COMMON = ["EUR", "USD", "GBP", "CHF"];

/** The other money of today (ISO 4217, list one), without funds, metals and testing codes. */
const OTHERS =
  `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN
  BZD CAD CDF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB FJD FKP GEL GHS GIP GMD
  GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK
  LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR
  PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL
  THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR
  ZMW`.split(/\s+/);

/** Languages, and those of regions that write numbers and dates in their own way. */
const LANGUAGES =
  `ar bg bn bs ca cs cy da de de-AT de-CH el en en-AU en-CA en-GB en-IE en-IN en-NZ en-US
  en-ZA es es-AR es-CL es-CO es-MX es-US et eu fa fi fil fr fr-BE fr-CA fr-CH ga gl he hi hr hu hy id is it
  it-CH ja ka kk ko lt lv mk ms mt nb nl nl-BE nn pl pt pt-BR pt-PT ro ru sk sl sq sr sv sw th tr uk ur uz
  vi zh zh-Hans zh-Hant`.split(/\s+/);

const moneyNames = new Intl.DisplayNames("en", { type: "currency" });
const languageNames = new Intl.DisplayNames("en", {
  type: "language",
  languageDisplay: "standard",
});

/** The name of a code, which stands for itself where it is none. */
function nameOf(names: Intl.DisplayNames, code: string): string {
  try {
    return names.of(code) ?? code;
  } catch {
    return code;
  }
}

/** A currency in words, by its three letters: Euro (EUR). */
export const currencyName = (code: string): string => `${nameOf(moneyNames, code)} (${code})`;

/** A language in words: `de-AT` is German (Austria). */
export const languageName = (tag: string): string => nameOf(languageNames, tag);

const byLabel = (a: Choice, b: Choice) => a.label.localeCompare(b.label, "en");
const toChoice = (name: (code: string) => string) => (value: string) => ({
  value,
  label: name(value),
});
const currencies: Choice[] = [
  ...COMMON.map(toChoice(currencyName)),
  ...OTHERS.map(toChoice(currencyName)).sort(byLabel),
];
const languages: Choice[] = LANGUAGES.map(toChoice(languageName)).sort(byLabel);

/** The currencies in use, the euro first. */
export const listCurrencies = (): readonly Choice[] => currencies;

/** The languages that are offered, in the order of their English names. */
export const listLanguages = (): readonly Choice[] => languages;
