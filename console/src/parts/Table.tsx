/** A table that becomes a list of cards where the screen is narrow: each cell then says its head. */

import type { ComponentChildren } from "preact";

export interface Row {
  key: string | number;
  cells: readonly ComponentChildren[];
  class?: string;
}

interface Given {
  heads: readonly string[];
  rows: readonly Row[];
  /** Places of the columns of numbers. */
  numbers?: readonly number[];
}

export function Table({ heads, rows, numbers = [] }: Given) {
  const side = (place: number): string => (numbers.includes(place) ? "number" : "");
  return (
    <table class="cards-when-narrow">
      <thead>
        <tr>
          {heads.map((head, place) => (
            <th scope="col" key={head} class={side(place)}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.key} class={row.class}>
            {row.cells.map((cell, place) => (
              <td key={heads[place]} class={side(place)} data-head={heads[place]}>
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
