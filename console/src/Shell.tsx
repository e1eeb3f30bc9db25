/** What stands around every page: navigation, the state of the link, clock, language, colours. */

import { useEffect, useState } from "preact/hooks";
import { Choice } from "./parts/Choice";
import { Login, Person } from "./parts/Login";
import { LinkBanner } from "./parts/LinkBanner";
import { paint, theme, THEMES } from "./parts/theme";
import { assets, get, kpis, refused } from "./plant/api";
import { rings } from "./plant/alarms";
import { behind, link, show, standing } from "./plant/live";
import { introduce } from "./plant/person";
import { catalogue, site } from "./plant/tree";
import { PAGES } from "./pages";
import { linkTo, place } from "./route";
import { fill, language, LANGUAGES, type Language, speak, time, words, zone } from "./words";

const AGAIN_MS = 3_000;

/** Read the plant; without the API, try again until it is there. */
function usePlant(): void {
  useEffect(() => {
    let timer = 0;
    show({ tags: [], kpis: [] });
    void introduce();
    const load = async (): Promise<void> => {
      try {
        const [tree, declared, plant] = await Promise.all([
          assets(),
          kpis(),
          get<{ zone: string }>("/plant"),
        ]);
        zone.value = plant.zone;
        catalogue.value = new Map(declared.map((one) => [one.id, one]));
        site.value = tree;
        refused.value = false;
      } catch {
        timer = window.setTimeout(load, AGAIN_MS);
      }
    };
    void load();
    return () => clearTimeout(timer);
  }, []);
}

function Clock() {
  const [now, set] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => set(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <time class="clock" title={zone.value}>
      {time(now)}
    </time>
  );
}

/** How many alarms ring, on every page; in the colour of the most urgent that nobody has seen. */
function Ringing() {
  const ringing = (standing.value ?? []).filter(rings);
  if (!ringing.length) return null;
  const unseen = ringing.filter((one) => one.state === "unacknowledged");
  const urgent = (["high", "medium", "low"] as const).find((level) =>
    unseen.some((one) => one.priority === level),
  );
  return (
    <span class={`count priority-${urgent ?? "seen"}`} aria-label={fill(words.value.alarms.count, { count: ringing.length })}>
      {ringing.length}
    </span>
  );
}

function Navigation() {
  const { page } = words.value;
  const here = place.value.page;
  return (
    <nav aria-label={words.value.site}>
      {Object.keys(PAGES).map((name) => (
        <a key={name} href={linkTo(name)} aria-current={here === name ? "page" : undefined}>
          {page[name as keyof typeof page]}
          {name === "alarms" && <Ringing />}
        </a>
      ))}
    </nav>
  );
}

function Status() {
  const state = behind.value ? "behind" : link.value;
  const text = state === "live" || state === "connecting" ? words.value.link[state] : "!";
  return <span class={`link is-${state}`}>{text}</span>;
}

/** The address names the page: the browser's own jump would leave it. */
function skipToContent(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

export function Shell() {
  usePlant();
  const Page = PAGES[place.value.page as keyof typeof PAGES] ?? PAGES.overview;
  const { theme: themes, language: languageWord, skip } = words.value;
  useEffect(() => {
    document.title = `${words.value.page[place.value.page as "overview"] ?? ""} · Ertis`;
  }, [place.value.page, language.value]);
  return (
    <>
      <a class="skip" href="#content" onClick={skipToContent}>
        {skip}
      </a>
      <header>
        <strong class="site">{site.value?.title ?? "Ertis"}</strong>
        <Navigation />
        <span class="tools">
          <Status />
          <Clock />
          <Person />
          <Choice
            label={languageWord}
            options={LANGUAGES}
            chosen={language.value}
            choose={(one) => speak(one as Language)}
          />
          <Choice
            label={themes.name}
            options={Object.fromEntries(THEMES.map((one) => [one, themes[one]]))}
            chosen={theme.value}
            choose={(one) => paint(one as (typeof THEMES)[number])}
          />
        </span>
      </header>
      <LinkBanner />
      <main id="content" tabIndex={-1}>
        {refused.value || place.value.page === "login" ? <Login /> : site.value ? <Page /> : <p class="quiet">{words.value.loading}</p>}
      </main>
    </>
  );
}
