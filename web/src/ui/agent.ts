// SPDX-License-Identifier: Apache-2.0
//
// What a User-Agent says to a person: "Firefox on Linux". A guess for lists, never a reason to do something.

// The first that fits: most browsers also name those before them.
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\b(OPR|Opera)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|CriOS|HeadlessChrome)\//, 'Chrome'],
  [/\bVersion\/\S+ .*\bSafari\//, 'Safari'],
  [/^curl\//, 'curl'],
];

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\b(iPhone|iPad|iPod)\b/, 'iOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
];

const first = (table: readonly (readonly [RegExp, string])[], agent: string) => table.find(([sign]) => sign.test(agent))?.[1];

// Browser and system, as far as they are known; else the agent itself.
export function agentParts(agent: string): { browser: string; system: string | undefined } {
  const browser = first(BROWSERS, agent);
  return browser ? { browser, system: first(SYSTEMS, agent) } : { browser: agent || '–', system: undefined };
}
