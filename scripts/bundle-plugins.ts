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

/**
 * An import of node:http asks for each of its exports, and so loads Node's own WebSocket: 14 MiB of memory. Asked for as
 * a built-in module it does not.
 */
export const lazyHttp: Plugin = {
  name: "lazy-http",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?https?$/ }, ({ path }) => ({
      path: path.replace(/^node:/, ""),
      namespace: "built-in",
    }));
    onLoad({ filter: /./, namespace: "built-in" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule("node:${path}");`,
    }));
  },
};

/** client-node's own requests are made with undici (1.4 MB, 6 MiB of memory); ours are not. */
export const withoutUndici: Plugin = {
  name: "without-undici",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^undici$/ }, () => ({ path: "undici", namespace: "left-out" }));
    onLoad({ filter: /./, namespace: "left-out" }, () => ({
      contents: `function leftOut() { throw new Error("undici is left out of this bundle"); }
        module.exports = { Agent: leftOut, ProxyAgent: leftOut, fetch: leftOut };`,
    }));
  },
};
