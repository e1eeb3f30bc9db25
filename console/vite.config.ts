import { defineConfig } from "vitest/config";

// Preact's JSX needs no plugin: the transform is told where its functions are (tsconfig.json).
export default defineConfig({
  base: "./",
  build: {
    outDir: "../api/static",
    assetsDir: "console",
    emptyOutDir: true,
    target: "es2022",
    // Browsers that know light-dark(): of spring 2024 and later.
    cssTarget: ["chrome123", "firefox128", "safari17.5"],
    // The content security policy allows files of our own and nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { setupFiles: ["tests/browser.ts"] },
});
