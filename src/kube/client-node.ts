/** The one class of client-node that is used: a module of its own, so that a bundler leaves the rest (15 MB) out of what is loaded late. */
export { KubeConfig } from "@kubernetes/client-node";
