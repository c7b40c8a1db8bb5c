import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { managerRoutes } from './src/api/manager.ts';

/** Method and path of each route: all that the browser needs at run time of the table; the rest of it is types. */
const addresses = Object.fromEntries(
  Object.entries(managerRoutes).map(([name, { method, path }]) => [name, { method, path }]),
);

export default defineConfig({
  root: 'web',
  plugins: [react()],
  define: { __MANAGER_ROUTES__: JSON.stringify(addresses) },
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2023',
    // The first ones that know light-dark(): older ones get no colours, so nothing is rewritten for them.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // The page may load scripts from its own origin only, so nothing is put into it.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  server: {
    proxy: { '/api': { target: 'http://127.0.0.1:8080', changeOrigin: false } },
  },
});
