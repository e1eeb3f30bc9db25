/** Any tags on one time axis: zoom, cursor, a week earlier, export. */

import { useEffect, useState } from "preact/hooks";
import { Loaded, useFetched } from "../parts/Loaded";
import { Trend } from "../parts/Trend";
import { queryOf, type Span, tagsBelow, tagsLike } from "../plant/api";
import { show } from "../plant/live";
import type { Tag } from "../plant/types";
import { ask, place } from "../route";
import { words } from "../words";
import { type SpanName, spanNamed, SPANS } from "./spans";

const WEEK_S = 7 * 86_400;
const OFFERED = 50;

/** The place's query with other tags. */
function withTags(paths: readonly string[], span: SpanName): void {
  ask({ tags: paths.join(","), span });
}

/** A plant has too many tags to know them all: the API is asked for those like what is typed. */
function Picker({ chosen, span }: { chosen: readonly string[]; span: SpanName }) {
  const [text, setText] = useState("");
  const { trends } = words.value;
  const fetched = useFetched(() => tagsLike(text, OFFERED), [text]);
  const [offered, offer] = useState<readonly Tag[]>([]);
  useEffect(() => {
    if (fetched.state === "there") offer(fetched.answer.filter((one) => !chosen.includes(one.path)));
  }, [fetched]);
  const add = (path: string): void => {
    if (!offered.some((one) => one.path === path)) return;
    withTags([...chosen, path], span);
    setText("");
  };
  return (
    <label>
      <span class="choice-label">{trends.add}</span>
      <input
        list="tags"
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          add(event.currentTarget.value);
        }}
      />
      <datalist id="tags">
        {offered.map((one) => (
          <option key={one.path} value={one.path}>
            {one.title}
          </option>
        ))}
      </datalist>
    </label>
  );
}

function Tools({ paths, span }: { paths: readonly string[]; span: SpanName }) {
  const { trends, span: spans } = words.value;
  return (
    <div class="row">
      <Picker chosen={paths} span={span} />
      {(Object.keys(SPANS) as SpanName[]).map((name) => (
        <button type="button" key={name} aria-pressed={name === span} onClick={() => withTags(paths, name)}>
          {spans[name]}
        </button>
      ))}
      {paths.map((one) => (
        <button
          type="button"
          key={one}
          aria-label={`${trends.remove} ${one}`}
          onClick={() => withTags(paths.filter((path) => path !== one), span)}
        >
          {one} ×
        </button>
      ))}
    </div>
  );
}

function Board({ chosen, span }: { chosen: readonly Tag[]; span: SpanName }) {
  const [zoom, setZoom] = useState<Span | null>(null);
  const [compare, setCompare] = useState(false);
  const { trends } = words.value;
  const shown = zoom ?? SPANS[span];
  const file = `/api/v1/history${queryOf({ tag: chosen.map((one) => one.path), from: shown.from, to: shown.to, format: "csv" })}`;
  return (
    <section class="panel">
      <Trend
        tags={chosen}
        span={shown}
        {...(compare ? { compareS: WEEK_S } : {})}
        zoomed={(from, to) => setZoom({ from: from.toISOString(), to: to.toISOString() })}
        whole={() => setZoom(null)}
      />
      <div class="row">
        <button type="button" aria-pressed={compare} onClick={() => setCompare(!compare)}>
          {trends.compare}
        </button>
        {zoom && (
          <button type="button" onClick={() => setZoom(null)}>
            {trends.reset}
          </button>
        )}
        {chosen.length > 0 && (
          <a href={file} download="ertis.csv">
            {trends.export}
          </a>
        )}
        <span class="quiet">{trends.help}</span>
      </div>
    </section>
  );
}

export function Trends() {
  useEffect(() => show({ tags: [], kpis: [] }), []);
  const { query } = place.value;
  const span = spanNamed(query.get("span"));
  const paths = (query.get("tags") ?? "").split(",").filter(Boolean);
  const fetched = useFetched(async () => (await Promise.all(paths.map(tagsBelow))).flat(), [paths.join()]);
  return (
    <>
      <h1>{words.value.page.trends}</h1>
      <Tools paths={paths} span={span} />
      <Loaded fetched={fetched}>{(chosen) => <Board chosen={chosen} span={span} />}</Loaded>
    </>
  );
}
