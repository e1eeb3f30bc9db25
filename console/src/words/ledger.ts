/** Names of the ledger's lines; a line that is not here is shown as the API calls it. */

import { language, type Language } from ".";

const TITLES: Readonly<Record<string, Readonly<Record<Language, string>>>> = {
  generation: { en: "Wind and solar", ru: "Ветер и солнце", kk: "Жел мен күн", zh: "风电和光伏" },
  "storage charge": { en: "Into the batteries", ru: "Заряд накопителей", kk: "Жинақтағыштарға", zh: "储能充电" },
  "storage discharge": { en: "Out of the batteries", ru: "Разряд накопителей", kk: "Жинақтағыштардан", zh: "储能放电" },
  import: { en: "From the grid", ru: "Из сети", kk: "Желіден", zh: "电网购入" },
  export: { en: "To the grid", ru: "В сеть", kk: "Желіге", zh: "电网送出" },
  consumption: { en: "Consumed", ru: "Потреблено", kk: "Тұтынылды", zh: "用电量" },
  matched: { en: "Met by own renewables", ru: "Покрыто своими ВИЭ", kk: "Өз ЖЭК-пен қамтылды", zh: "自有绿电供应" },
  "carbon-free": { en: "Met carbon-free", ru: "Покрыто безуглеродной энергией", kk: "Көміртексіз қамтылды", zh: "无碳供应" },
  metal: { en: "Metal tapped", ru: "Вылито металла", kk: "Құйылған металл", zh: "出铝量" },
  pfc: { en: "CF₄ and C₂F₆", ru: "CF₄ и C₂F₆", kk: "CF₄ және C₂F₆", zh: "CF₄ 和 C₂F₆" },
  anode: { en: "CO₂ of the anodes", ru: "CO₂ анодов", kk: "Анодтардың CO₂", zh: "阳极 CO₂" },
  fuel: { en: "CO₂ of fuels", ru: "CO₂ топлива", kk: "Отынның CO₂", zh: "燃料 CO₂" },
  "power by location": { en: "Imported power, by location", ru: "Покупная энергия, по месту", kk: "Сатып алынған энергия, орны бойынша", zh: "外购电（基于位置）" },
  "power by market": { en: "Imported power, by market", ru: "Покупная энергия, по рынку", kk: "Сатып алынған энергия, нарық бойынша", zh: "外购电（基于市场）" },
  "hourly matched renewable share": { en: "Hourly matched renewable share", ru: "Доля ВИЭ по часам", kk: "Сағаттық ЖЭК үлесі", zh: "小时匹配绿电占比" },
  "volumetric renewable share": { en: "Volumetric renewable share", ru: "Доля ВИЭ по объёму", kk: "Көлемдік ЖЭК үлесі", zh: "总量绿电占比" },
  "carbon-free energy score": { en: "Carbon-free energy score", ru: "Доля безуглеродной энергии", kk: "Көміртексіз энергия үлесі", zh: "无碳能源得分" },
  "pfc per tonne": { en: "CF₄ and C₂F₆ per tonne", ru: "CF₄ и C₂F₆ на тонну", kk: "Тоннаға CF₄ және C₂F₆", zh: "吨铝 CF₄ 和 C₂F₆" },
  "anode per tonne": { en: "Anodes per tonne", ru: "Аноды на тонну", kk: "Тоннаға анодтар", zh: "吨铝阳极排放" },
  "fuel per tonne": { en: "Fuels per tonne", ru: "Топливо на тонну", kk: "Тоннаға отын", zh: "吨铝燃料排放" },
  "power by location per tonne": { en: "Power per tonne, by location", ru: "Энергия на тонну, по месту", kk: "Тоннаға энергия, орны бойынша", zh: "吨铝电力排放（基于位置）" },
  "power by market per tonne": { en: "Power per tonne, by market", ru: "Энергия на тонну, по рынку", kk: "Тоннаға энергия, нарық бойынша", zh: "吨铝电力排放（基于市场）" },
  "scope 1 per tonne": { en: "Scope 1 per tonne", ru: "Охват 1 на тонну", kk: "Тоннаға 1-қамту", zh: "吨铝范围 1" },
  "scope 1 and 2 by location per tonne": { en: "Scope 1 and 2 per tonne, by location", ru: "Охваты 1 и 2 на тонну, по месту", kk: "Тоннаға 1 және 2-қамту, орны бойынша", zh: "吨铝范围 1 和 2（基于位置）" },
  "scope 1 and 2 by market per tonne": { en: "Scope 1 and 2 per tonne, by market", ru: "Охваты 1 и 2 на тонну, по рынку", kk: "Тоннаға 1 және 2-қамту, нарық бойынша", zh: "吨铝范围 1 和 2（基于市场）" },
};

export const lineTitle = (line: string): string => TITLES[line]?.[language.value] ?? line;
