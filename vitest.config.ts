import { defineConfig } from "vitest/config";

/** Real databases and processes start under load: time-outs end hung tests, they judge nothing. */
const patient = { testTimeout: 120_000, hookTimeout: 180_000 };

/** Tests beside code that speaks to Berth's own database: they clone a migrated template. */
const needDatabase = ["db/**/*.test.ts", "app/{domain,web,worker,platform/jobs}/**/*.test.ts"];

export default defineConfig({
  test: {
    // A forgotten `.only` would hide every other test.
    allowOnly: false,
    passWithNoTests: false,
    dangerouslyIgnoreUnhandledErrors: false,
    unstubEnvs: true,
    // A Berth that files shared ends after them; only a run that waits for it can say if that failed.
    teardownTimeout: 120_000,
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["{app,scripts}/**/*.test.{ts,tsx}"],
          exclude: needDatabase,
          ...patient,
        },
      },
      {
        extends: true,
        test: {
          name: "templates",
          include: ["feature-templates/*.test.ts"],
          globalSetup: ["feature-templates/shared-server-setup.ts"],
          // They replace nothing of a module's: each process loads the templates once.
          isolate: false,
          ...patient,
        },
      },
      {
        extends: true,
        test: {
          name: "module",
          include: needDatabase,
          globalSetup: ["tests/support/postgres-setup.ts"],
          ...patient,
        },
      },
      {
        extends: true,
        test: {
          name: "parts",
          include: ["{local,sandbox}/**/*.test.ts"],
          ...patient,
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["tests/{integration,support}/**/*.test.ts"],
          globalSetup: ["tests/support/build-once.ts", "tests/support/stock-setup.ts"],
          fileParallelism: false,
          testTimeout: 300_000,
          // The first file that asks for the shared Berth waits for two starts.
          hookTimeout: 600_000,
        },
      },
      {
        extends: true,
        test: {
          name: "faults",
          include: ["tests/faults/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 3_600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
