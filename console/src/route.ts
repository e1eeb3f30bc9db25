/** Where the page is: `#/potroom/smelter/potline-1?colour=voltage`. */

import { signal } from "@preact/signals";

export interface Place {
  page: string;
  rest: string;
  query: URLSearchParams;
}

function read(): Place {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const [page = "", ...rest] = path.split("/");
  return { page: page || "overview", rest: rest.join("/"), query: new URLSearchParams(query) };
}

export const place = signal<Place>(read());

addEventListener("hashchange", () => {
  place.value = read();
});

export function linkTo(page: string, rest = "", query: Record<string, string> = {}): string {
  const asked = new URLSearchParams(query).toString();
  return `#/${page}${rest ? `/${rest}` : ""}${asked ? `?${asked}` : ""}`;
}

/** Change the query of this place without a step in the history. */
export function ask(query: Record<string, string>): void {
  const { page, rest } = place.value;
  history.replaceState(null, "", linkTo(page, rest, query));
  place.value = read();
}
