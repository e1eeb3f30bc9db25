/** KPI titles in the other languages; English is the catalogue's own. */

import { language, type Language } from ".";

const TITLES: Partial<Record<Language, Record<string, string>>> = {};

export function kpiTitle(id: string, english: string): string {
  return TITLES[language.value]?.[id] ?? english;
}
