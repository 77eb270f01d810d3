// Who sends the sample day's pings: builds, clients and the places they live in. All of it invented or public knowledge.
import { Random } from "./random.ts";

export interface Build {
  readonly app: string;
  readonly channel: string;
  readonly version: string;
  readonly buildId: string;
  readonly weight: number;
}

/** The builds in use on 2015-10-28. One repackaged channel and one version hold what keys may not. */
export const builds: readonly Build[] = [
  { app: "Firefox", channel: "release", version: "41.0.2", buildId: "20151014143721", weight: 40 },
  { app: "Firefox", channel: "release", version: "41.0.1", buildId: "20150929144111", weight: 6 },
  { app: "Firefox", channel: "release", version: "40.0.3", buildId: "20150826023504", weight: 3 },
  { app: "Firefox", channel: "beta", version: "42.0", buildId: "20151022152545", weight: 12 },
  { app: "Firefox", channel: "beta", version: "42.0", buildId: "20151026170526", weight: 8 },
  { app: "Firefox", channel: "aurora", version: "43.0a2", buildId: "20151027004102", weight: 6 },
  { app: "Firefox", channel: "aurora", version: "43.0a2", buildId: "20151026004011", weight: 4 },
  { app: "Firefox", channel: "nightly", version: "44.0a1", buildId: "20151027030428", weight: 7 },
  { app: "Firefox", channel: "nightly", version: "44.0a1", buildId: "20151028030432", weight: 4 },
  { app: "Firefox", channel: "esr", version: "38.3.0", buildId: "20150917151116", weight: 3 },
  { app: "Firefox", channel: "release-cck-partner", version: "41.0.2", buildId: "20151014143721", weight: 1 },
  { app: "Firefox", channel: "default", version: "41.0.2+dfsg", buildId: "20151015074512", weight: 1 },
  { app: "Fennec", channel: "release", version: "41.0.2", buildId: "20151015125802", weight: 4 },
  { app: "Fennec", channel: "nightly", version: "44.0a1", buildId: "20151027030428", weight: 1 },
];

const places = [
  { country: "US", cities: ["Boyd", "Portland", "Austin", "Duluth"], locale: "en-US", weight: 28 },
  { country: "DE", cities: ["Köln", "Berlin", "Würzburg"], locale: "de", weight: 14 },
  { country: "FR", cities: ["Lyon", "Orléans"], locale: "fr", weight: 8 },
  { country: "BR", cities: ["São Paulo", "Recife"], locale: "pt-BR", weight: 8 },
  { country: "RU", cities: ["Москва", "Казань"], locale: "ru", weight: 8 },
  { country: "IN", cities: ["Pune", "Kochi"], locale: "en-US", weight: 7 },
  { country: "JP", cities: ["東京", "大阪"], locale: "ja", weight: 5 },
  { country: "PL", cities: ["Łódź", "Kraków"], locale: "pl", weight: 5 },
  { country: "NZ", cities: ["Auckland"], locale: "en-NZ", weight: 2 },
  { country: "??", cities: ["??"], locale: "en-US", weight: 2 },
] as const;

const systems = [
  { name: "Windows_NT", version: "6.1", weight: 42 },
  { name: "Windows_NT", version: "10.0", weight: 20 },
  { name: "Windows_NT", version: "6.3", weight: 12 },
  { name: "Darwin", version: "14.5.0", weight: 8 },
  { name: "Linux", version: "4.2.3-200.fc22.x86_64", weight: 5 },
] as const;

const engines = ["google", "yahoo", "bing", "ddg", "other-Startseite"] as const;
const addonWords = [
  "Tab",
  "Dark",
  "Übersetzer",
  "Video",
  "Password",
  "Notes",
  "Wetter",
  "RSS",
  "リーダー",
  "Mail",
] as const;

/** One profile on one machine. The same seed and number give the same client, so its pings agree with each other. */
export interface Client {
  readonly id: string;
  readonly country: string;
  readonly city: string;
  readonly locale: string;
  readonly system: { readonly name: string; readonly version: string };
  readonly engine: string;
  readonly isDefaultBrowser: boolean | undefined;
  /** Days since the epoch. */
  readonly profileCreated: number;
  readonly memoryMB: number;
  readonly cores: number;
  readonly addons: readonly { readonly id: string; readonly name: string; readonly version: string }[];
  /** How much this client measures, around 1. */
  readonly activity: number;
}

export function makeClient(seed: number, number: number, build: Build): Client {
  const random = new Random(seed, "client", number);
  const place = random.weighted(places);
  const addons = Array.from({ length: Math.min(30, Math.round(random.logNormal(6, 0.6))) }, () => {
    const word = random.pick(addonWords);
    const id = random.chance(0.3) ? `{${random.uuid()}}` : `addon-${random.hex(4)}@example.org`;
    return { id, name: `${word} ${random.pick(addonWords)}`, version: `${random.int(0, 9)}.${random.int(0, 20)}` };
  });
  return {
    id: random.uuid(),
    country: place.country,
    city: random.pick(place.cities),
    locale: place.locale,
    system: build.app === "Fennec" ? { name: "Android", version: "22" } : random.weighted(systems),
    engine: random.pick(engines),
    isDefaultBrowser: random.chance(0.05) ? undefined : random.chance(0.7),
    profileCreated: 16_736 - Math.min(4_000, Math.round(random.logNormal(300, 1.2))),
    memoryMB: random.pick([1_014, 2_013, 3_990, 8_071, 16_276]),
    cores: random.pick([1, 2, 2, 4, 4, 8]),
    addons,
    activity: random.logNormal(1, 0.45),
  };
}

export type Ping = Record<string, unknown>;

/** What one ping is about. `sent` is in milliseconds since the epoch. */
export interface PingFacts {
  readonly docType: string;
  readonly build: Build;
  readonly client: Client;
  readonly sent: number;
  readonly random: Random;
}
