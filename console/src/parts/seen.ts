/** Whether an element has come into sight: what is asked of the API for it can wait until then. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { RefObject } from "preact";

export function useSeen<Element_ extends Element>(): [RefObject<Element_>, boolean] {
  const place = useRef<Element_>(null);
  const [seen, see] = useState(false);
  useEffect(() => {
    if (!place.current || seen) return;
    const watcher = new IntersectionObserver((all) => see(all.some((one) => one.isIntersecting)));
    watcher.observe(place.current);
    return () => watcher.disconnect();
  }, [seen]);
  return [place, seen];
}
