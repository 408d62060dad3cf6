import type { Template } from "./template.ts";

/** The templates, loaded when a project is made from one. */
export const TEMPLATES: Readonly<Record<TemplateName, () => Promise<Template>>> = {
  rpc: async () => (await import("./templates/rpc.ts")).rpcTemplate,
  events: async () => (await import("./templates/events.ts")).eventsTemplate,
  http: async () => (await import("./templates/http.ts")).httpTemplate,
  full: async () => (await import("./templates/full.ts")).fullTemplate,
};

/** Names of the templates, the simplest first. */
export const TEMPLATE_NAMES = ["rpc", "events", "http", "full"] as const;

/** Name of a template. */
export type TemplateName = (typeof TEMPLATE_NAMES)[number];
