// The sections of a ping that both eras of the pipeline split off into fields of their own (docs/formats.md).

export const SPLIT: readonly (readonly [parent: string, sections: readonly string[]])[] = [
  ["environment", ["addons", "build", "partner", "profile", "settings", "system", "experiments"]],
  [
    "payload",
    [
      "addonDetails",
      "addonHistograms",
      "childPayloads",
      "chromeHangs",
      "fileIOReports",
      "histograms",
      "info",
      "keyedHistograms",
      "lateWrites",
      "log",
      "simpleMeasurements",
      "slowSQL",
      "threadHangStats",
      "UIMeasurements",
      "gc",
    ],
  ],
];

const names = new Set(SPLIT.flatMap(([parent, sections]) => sections.map((section) => `${parent}.${section}`)));

/** Whether a field of this name is one of them: then the pipeline has no field for a part of it. */
export function isSplitSection(name: string): boolean {
  return names.has(name);
}
