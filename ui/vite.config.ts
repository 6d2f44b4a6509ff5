import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The oldest engine in use is the WebKitGTK of Debian 12 and the Safari of macOS 13.
export default defineConfig({
  plugins: [react()],
  clearScreen: false,
  server: { port: 1420, strictPort: true },
  preview: { port: 4173 },
  build: {
    target: "safari16",
    cssTarget: "safari16",
    // The content policy allows no data: addresses for scripts and styles.
    assetsInlineLimit: 0,
    reportCompressedSize: true,
    chunkSizeWarningLimit: 1500,
  },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"] },
});
