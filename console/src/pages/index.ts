/** The pages, in the order of the navigation. */

import { Alarms } from "./Alarms";
import { Energy } from "./Energy";
import { Health } from "./Health";
import { Kpis } from "./Kpis";
import { Overview } from "./Overview";
import { Potroom } from "./Potroom";
import { Refinery } from "./Refinery";
import { Report } from "./Report";
import { Trends } from "./Trends";

export const PAGES = {
  overview: Overview,
  potroom: Potroom,
  refinery: Refinery,
  energy: Energy,
  kpis: Kpis,
  trends: Trends,
  alarms: Alarms,
  report: Report,
  health: Health,
} as const;
