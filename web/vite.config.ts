import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The console is served by `obera` itself: same origin, no other host, no inline script (CSP script-src 'self').
const api = process.env.OBERA_URL ?? "http://127.0.0.1:8080";
const paths = ["/auth/v1", "/rest/v1", "/functions/v1", "/healthz", "/readyz"];

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
  build: {
    target: "es2023",
    manifest: true,
    sourcemap: false,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      output: {
        // Few files on the first visit: what every screen uses is one chunk, with all that it imports.
        advancedChunks: {
          groups: [
            { name: "kit", test: /src\/(api\/|ui\/(Badge|Button|Card|charts|cx|EmptyState|Kbd|Skeleton|Avatar)|kit\/(Ago|ErrorNotice|Freshness|freshness|PageHeader|PageSkeleton|paths|permissions|scope|status|StatusBadge|time)\.)/ },
          ],
        },
      },
    },
  },
  server: { proxy: Object.fromEntries(paths.map((path) => [path, { target: api, changeOrigin: false }])) },
});
