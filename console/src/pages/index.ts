/** The pages, in the order of the navigation. */

import { Alarms } from "./Alarms";
import { Kpis } from "./Kpis";
import { Overview } from "./Overview";
import { Potroom } from "./Potroom";
import { Trends } from "./Trends";

export const PAGES = {
  overview: Overview,
  potroom: Potroom,
  kpis: Kpis,
  trends: Trends,
  alarms: Alarms,
} as const;
