/** Any tags on one time axis: zoom, cursor, a week earlier, export. */

import { useEffect, useState } from "preact/hooks";
import { Loaded, useFetched } from "../parts/Loaded";
import { Trend } from "../parts/Trend";
import { queryOf, type Span, tagsBelow } from "../plant/api";
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

function Picker({ tags, chosen, span }: { tags: readonly Tag[]; chosen: readonly string[]; span: SpanName }) {
  const [text, setText] = useState("");
  const { trends } = words.value;
  const offered = tags
    .filter((one) => !chosen.includes(one.path) && `${one.path} ${one.title}`.toLowerCase().includes(text.toLowerCase()))
    .slice(0, OFFERED);
  const add = (path: string): void => {
    if (!tags.some((one) => one.path === path)) return;
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

function Tools({ tags, chosen, span }: { tags: readonly Tag[]; chosen: readonly Tag[]; span: SpanName }) {
  const { trends, span: spans } = words.value;
  const paths = chosen.map((one) => one.path);
  return (
    <div class="row">
      <Picker tags={tags} chosen={paths} span={span} />
      {(Object.keys(SPANS) as SpanName[]).map((name) => (
        <button type="button" key={name} aria-pressed={name === span} onClick={() => withTags(paths, name)}>
          {spans[name]}
        </button>
      ))}
      {chosen.map((one) => (
        <button
          type="button"
          key={one.path}
          aria-label={`${trends.remove} ${one.path}`}
          onClick={() => withTags(paths.filter((path) => path !== one.path), span)}
        >
          {one.path} ×
        </button>
      ))}
    </div>
  );
}

function Board({ tags }: { tags: readonly Tag[] }) {
  const { query } = place.value;
  const span = spanNamed(query.get("span"));
  const named = (query.get("tags") ?? "").split(",");
  const chosen = tags.filter((one) => named.includes(one.path));
  const [zoom, setZoom] = useState<Span | null>(null);
  const [compare, setCompare] = useState(false);
  const { trends } = words.value;
  const shown = zoom ?? SPANS[span];
  const file = `/api/v1/history${queryOf({ tag: chosen.map((one) => one.path), from: shown.from, to: shown.to, format: "csv" })}`;
  return (
    <>
      <Tools tags={tags} chosen={chosen} span={span} />
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
    </>
  );
}

export function Trends() {
  useEffect(() => show({ tags: [], kpis: [] }), []);
  const fetched = useFetched(() => tagsBelow("**"), []);
  return (
    <>
      <h1>{words.value.page.trends}</h1>
      <Loaded fetched={fetched}>{(tags) => <Board tags={tags} />}</Loaded>
    </>
  );
}
