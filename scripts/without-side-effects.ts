import type { Plugin } from "esbuild";

const CLIENT = "@kubernetes/client-node";
const RESOLVED = Symbol("resolved");

/**
 * client-node does not say that its modules have no side effects, so that all of its generated API (19 MB) would be
 * kept for the credentials that are used of it (0.9 MB).
 */
export const withoutSideEffects: Plugin = {
  name: "without-side-effects",
  setup({ onResolve, resolve: resolveAgain }) {
    onResolve({ filter: /./ }, async ({ path, pluginData, ...from }) => {
      const isOurs = path.startsWith(CLIENT) || from.importer.includes(CLIENT);
      if (pluginData === RESOLVED || !isOurs) return undefined;
      const found = await resolveAgain(path, { ...from, pluginData: RESOLVED });
      return found.path.includes(CLIENT) ? { ...found, sideEffects: false } : found;
    });
  },
};
