import { vitePlugin as remix } from "@remix-run/dev";
import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "vite";
import remixConfig from "./remix.config.js";

declare module "@remix-run/node" {
  interface Future {
    v3_singleFetch: true;
  }
}

export default defineConfig({
  plugins: [tailwindcss(), remix(remixConfig)],
  // Loaded by one page alone: found at its first visit, it would reload that page in development.
  optimizeDeps: { include: ["recharts"] },
  build: {
    // A data: URL would need its own exception in the content security policy.
    assetsInlineLimit: 0,
    target: "es2022",
  },
});
