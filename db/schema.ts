/** Every table, for drizzle-kit and for relational queries. */
export * from "./api.ts";
export * from "./audit.ts";
export * from "./auth.ts";
export * from "./backends.ts";
export * from "./catalog.ts";
export * from "./customers.ts";
export * from "./identity.ts";
export * from "./notifications.ts";
export * from "./onboarding.ts";
export * from "./provisioning.ts";
export * from "./queue.ts";
export * from "./vault.ts";
