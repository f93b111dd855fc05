import { watch } from "node:fs";
import path from "node:path";

/** What Vite reloads by itself; everything else is loaded by Node once. */
const HOT = /^(routes|components|styles)\/|\.(css|tsx)$|\.test\.ts$/;

/**
 * Calls `onChange` when a source that the running processes have loaded changes, once per burst
 * of changes. For `npm run dev`.
 */
export function watchSources(root: string, onChange: (file: string) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const watchers = ["app", "db", "feature-templates"].map((folder) =>
    watch(path.join(root, folder), { recursive: true }, (_event, file) => {
      if (!file || (folder === "app" && HOT.test(file.replaceAll("\\", "/")))) return;
      clearTimeout(timer);
      timer = setTimeout(() => onChange(path.join(folder, file)), 200);
    }),
  );
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}
