/** Every pot as a cell in its row, of one line or of all; an anode effect cannot be missed. */

import { useComputed } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Choice } from "../parts/Choice";
import { show, valueOf } from "../plant/live";
import { lastStep, ofType, site } from "../plant/tree";
import type { Asset } from "../plant/types";
import { believed } from "../plant/worth";
import { ask, linkTo, place } from "../route";
import { fill, number, unit, words } from "../words";
import { PotDetails } from "./PotDetails";
import { type Colouring, COLOURINGS, levelOf } from "./potColours";

/** Pot controllers know an effect first; where there is none, the voltage tells. */
const EFFECTS = ["anode_effect", "anode_effect_by_voltage"] as const;

const potsOf = (line: Asset): Asset[] => line.children.filter((one) => one.type === "pot");
const numberOf = (pot: Asset): string => lastStep(pot.path).replace(/^\D+/, "");

function effectTag(pot: Asset): string | null {
  const measure = EFFECTS.find((one) => pot.measures.includes(one));
  return measure ? `${pot.path}/${measure}` : null;
}

function inEffect(pot: Asset): boolean {
  const tag = effectTag(pot);
  const newest = tag ? valueOf(tag).value : null;
  return newest !== null && newest.quality !== 500 && newest.value === 1;
}

function Cell({ pot, line, colouring }: { pot: Asset; line: Asset; colouring: Colouring }) {
  const name = numberOf(pot);
  const effect = inEffect(pot);
  const values = believed(colouring.measures.map((one) => valueOf(`${pot.path}/${one}`).value));
  const shown = values ? colouring.shown(values) : Number.NaN;
  const level = levelOf(colouring, shown);
  const { potroom } = words.value;
  const said = effect
    ? potroom.effect
    : level === null
      ? potroom.noData
      : level === 0
        ? potroom.normal
        : level < 0
          ? potroom.below
          : potroom.above;
  return (
    <a
      class={`pot level-${effect ? "effect" : (level ?? "none")}`}
      href={linkTo("potroom", line.path, { colour: colouring.id, pot: name })}
      data-pot={name}
    >
      <span class="visually-hidden">{said} </span>
      <span class="pot-name">{name} </span>
      <span class="pot-value">{effect ? "AE" : number(shown, colouring.digits)}</span>
    </a>
  );
}

/** How many pots are in effect, said aloud when it changes. */
function Effects({ pots }: { pots: readonly Asset[] }) {
  const count = useComputed(() => pots.filter(inEffect).length).value;
  const { effects, noEffects } = words.value.potroom;
  return (
    <p class={`effects${count ? " is-alarm" : ""}`} role="status">
      {count ? fill(effects, { count }) : noEffects}
    </p>
  );
}

function Legend() {
  const { below, normal, above, effect, noData } = words.value.potroom;
  const entries: readonly (readonly [string, string])[] = [
    ["-2", `${below} ‼`],
    ["-1", below],
    ["0", normal],
    ["1", above],
    ["2", `${above} ‼`],
    ["none", noData],
    ["effect", `AE: ${effect}`],
  ];
  return (
    <ul class="legend">
      {entries.map(([level, text]) => (
        <li key={level}>
          <span class={`swatch level-${level}`} /> {text}
        </li>
      ))}
    </ul>
  );
}

/** A line is two rows of pots, side by side, and the current comes back through the second. */
function Line({ line, colouring }: { line: Asset; colouring: Colouring }) {
  const pots = potsOf(line);
  const half = Math.ceil(pots.length / 2);
  return (
    <section class="potroom" aria-label={line.title}>
      {[pots.slice(0, half), pots.slice(half).reverse()].map((row, place) => (
        <div class="pot-row" key={place}>
          {row.map((pot) => (
            <Cell key={pot.path} pot={pot} line={line} colouring={colouring} />
          ))}
        </div>
      ))}
    </section>
  );
}

export function Potroom() {
  const all = ofType("potline");
  const { rest, query } = place.value;
  const named = all.filter((one) => one.path === rest);
  const lines = named.length ? named : all;
  const only = lines.length === 1 ? lines[0] : undefined;
  const pots = lines.flatMap(potsOf);
  const offered = COLOURINGS.filter(({ measures }) =>
    measures.every((one) => pots.some((pot) => pot.measures.includes(one))),
  );
  const colouring = offered.find(({ id }) => id === query.get("colour")) ?? offered[0];
  const chosen = only && potsOf(only).find((pot) => numberOf(pot) === query.get("pot"));
  useEffect(() => {
    if (!colouring) return;
    const effect = EFFECTS.find((one) => pots.some((pot) => pot.measures.includes(one)));
    // What comes first is drawn first.
    const wanted = [...(effect ? [effect] : []), ...colouring.measures];
    const details = chosen ? [`${chosen.path}/*`] : [];
    const tags = lines.flatMap((line) => wanted.map((one) => `${line.path}/pot-*/${one}`));
    show({ tags: [...tags, ...details], kpis: [] });
  }, [site.value, rest, colouring, chosen]);
  const { page, potroom, empty } = words.value;
  if (!colouring) return <p class="quiet">{empty}</p>;
  const close = (): void => {
    // Who works with keys goes on where the details were opened.
    document.querySelector<HTMLElement>(`[data-pot="${query.get("pot")}"]`)?.focus();
    ask({ colour: colouring.id });
  };
  return (
    <>
      <h1>{only?.title ?? page.potroom}</h1>
      <div class="row">
        {all.length > 1 && (
          <Choice
            visible
            label={potroom.line}
            options={Object.fromEntries([["", potroom.all], ...all.map((one) => [one.path, one.title])])}
            chosen={only?.path ?? ""}
            choose={(path) => location.assign(linkTo("potroom", path, { colour: colouring.id }))}
          />
        )}
        <Choice
          visible
          label={potroom.colour}
          options={Object.fromEntries(offered.map((one) => [one.id, `${potroom[one.id]} [${unit(one.unit)}]`]))}
          chosen={colouring.id}
          choose={(colour) => ask({ colour })}
        />
        <Effects pots={pots} />
      </div>
      {lines.map((line) => (
        <div key={line.path}>
          {!only && <h2>{line.title}</h2>}
          <Line line={line} colouring={colouring} />
        </div>
      ))}
      <Legend />
      {chosen && <PotDetails pot={chosen} close={close} />}
    </>
  );
}
