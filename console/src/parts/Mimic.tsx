/** The flow of the park: bauxite, alumina, aluminium, and the power that feeds them. */

import { site } from "../plant/tree";
import { linkTo } from "../route";
import { words } from "../words";

interface Box {
  page: "refinery" | "potroom" | "energy";
  x: number;
  y: number;
}

const BOXES: readonly Box[] = [
  { page: "refinery", x: 150, y: 20 },
  { page: "potroom", x: 430, y: 20 },
  { page: "energy", x: 290, y: 110 },
];
const FLOWS: readonly (readonly [string, string])[] = [
  ["M20 45H145", "bauxite"],
  ["M285 45H425", "alumina"],
  ["M565 45H690", "aluminium"],
  ["M330 108V88H220V74", "power"],
  ["M385 108V88H500V74", "power"],
];

export function Mimic() {
  const { page, flow } = words.value;
  return (
    <svg class="mimic" viewBox="0 0 710 165" role="img" aria-label={site.value?.title ?? ""}>
      <defs>
        <marker id="head" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" markerHeight="6" orient="auto">
          <path d="M0 0L6 3L0 6z" />
        </marker>
      </defs>
      {FLOWS.map(([path, what]) => (
        <path key={path} class={`flow is-${what}`} d={path} marker-end="url(#head)" />
      ))}
      <text x="60" y="38">{flow.bauxite}</text>
      <text x="355" y="38">{flow.alumina}</text>
      <text x="630" y="38">{flow.aluminium}</text>
      {BOXES.map((box) => (
        <a key={box.page} href={linkTo(box.page)}>
          <rect x={box.x} y={box.y} width="135" height="50" rx="3" />
          <text x={box.x + 67} y={box.y + 30}>{page[box.page]}</text>
        </a>
      ))}
    </svg>
  );
}
