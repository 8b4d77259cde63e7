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
        // Few files on the first visit: what every screen uses is one chunk, and all of radix is one that loads when it is first needed.
        advancedChunks: {
          includeDependenciesRecursively: false,
          groups: [
            { name: "radix", test: /node_modules\/(@radix-ui|radix-ui|@floating-ui|aria-hidden|react-remove-scroll|react-style-singleton|use-sidecar|use-callback-ref|cmdk)/, priority: 3 },
            { name: "icons", test: /node_modules\/lucide-react/, priority: 2 },
            { name: "kit", test: /src\/(api\/|ui\/(Badge|Button|Card|charts|cx|EmptyState|Kbd|Skeleton|Avatar)|kit\/(Ago|ErrorNotice|Freshness|freshness|PageHeader|PageSkeleton|paths|permissions|scope|status|StatusBadge|time)\.)/, priority: 1 },
          ],
        },
      },
    },
  },
  server: { proxy: Object.fromEntries(paths.map((path) => [path, { target: api, changeOrigin: false }])) },
});
