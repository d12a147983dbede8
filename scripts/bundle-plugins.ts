import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { Plugin } from "esbuild";

const CLIENT = "@kubernetes/client-node";
/** What node:http loads when it is asked for. */
const LOADS_WEB_SOCKET = ["WebSocket", "CloseEvent", "MessageEvent"];
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
 * a built-in module, for the others by name, it does not.
 */
export const lazyHttp: Plugin = {
  name: "lazy-http",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?https?$/ }, ({ path }) => ({
      path: path.replace(/^node:/, ""),
      namespace: "built-in",
    }));
    onLoad({ filter: /./, namespace: "built-in" }, ({ path }) => {
      const names = Object.keys(path === "http" ? http : https).filter(
        (name) => !LOADS_WEB_SOCKET.includes(name),
      );
      return {
        contents: `const all = process.getBuiltinModule("node:${path}");
          export default all;
          export const { ${names.join(", ")} } = all;`,
      };
    });
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

/**
 * OpenTelemetry's gRPC transport looks for grpc-js when it first exports, by a require() that the bundler does not see:
 * a bundle of it starts, and no export works. It is given the bundled one. (Resolving all packages as CommonJS would do
 * too, and keep all that nobody uses of them: 2.9 MB where this is 1.3 MB, and 4 MiB of memory.)
 */
export const grpcInTheBundle: Plugin = {
  name: "grpc-in-the-bundle",
  setup({ onLoad }) {
    onLoad({ filter: /otlp-grpc-exporter-base\/dist\/_virtual\/_rolldown\/runtime\.mjs$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      const contents = text
        .replace('import { createRequire } from "node:module";', 'import * as grpcJs from "@grpc/grpc-js";')
        .replace("createRequire(import.meta.url)", "() => grpcJs");
      if (contents.includes("createRequire") || !contents.includes("() => grpcJs")) {
        throw new Error(
          "otlp-grpc-exporter-base loads grpc-js in another way than it did: see what its transport calls",
        );
      }
      return { contents };
    });
  },
};
