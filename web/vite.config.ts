import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { xterm_styles } from './scripts/xterm_styles';

// `npm run dev` serves the console from its sources in front of a running server.
const server = process.env.GANTRY_URL ?? 'http://127.0.0.1:5920';

export default defineConfig({
  plugins: [svelte(), xterm_styles()],
  // Made ready ahead of time, it would pass by the plugin.
  optimizeDeps: { exclude: ['@xterm/xterm'] },
  build: {
    target: 'es2022',
    // A data: font or script would need a wider Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      '/api': {
        target: server,
        changeOrigin: true,
        ws: true,
        // The server compares Origin with Host; both are the proxy's doing here.
        configure: (proxy) => {
          proxy.on('proxyReq', (request) => request.setHeader('origin', server));
          proxy.on('proxyReqWs', (request) => request.setHeader('origin', server));
        },
      },
    },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
