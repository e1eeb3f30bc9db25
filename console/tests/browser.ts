/** What the modules under test ask of a browser and Node does not have. */

const kept = new Map<string, string>();

Object.defineProperty(globalThis, "localStorage", {
  value: {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  },
});
Object.defineProperty(globalThis, "navigator", { value: { languages: ["en"] } });
