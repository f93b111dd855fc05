import { readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type ProcessIdentity, processStart, stopLeftOver } from "./processes.ts";

interface ProcessRecord extends ProcessIdentity {
  script: string;
}

/** The file that says which processes this installation has started. */
export interface ProcessRecords {
  add(child: { pid: number; script: string }): void;
  remove(pid: number | undefined): void;
}

function read(file: string): ProcessRecord[] {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as ProcessRecord[];
  } catch {
    return [];
  }
}

/**
 * Opens the record of started processes, and first ends those that a killed predecessor left
 * behind (normally they end by themselves when their channel to it closes).
 *
 * @returns the record and how many were ended
 */
export async function openRecords(
  dataDir: string,
): Promise<{ records: ProcessRecords; leftOver: number }> {
  const file = path.join(dataDir, "processes.json");
  const ended = await Promise.all(read(file).map((record) => stopLeftOver(record, record.script)));
  const known = new Map<number, ProcessRecord>();
  const save = () => {
    const unfinished = `${file}.tmp`;
    writeFileSync(unfinished, JSON.stringify([...known.values()]), { mode: 0o600 });
    renameSync(unfinished, file);
  };
  save();
  return {
    leftOver: ended.filter(Boolean).length,
    records: {
      add({ pid, script }) {
        void processStart(pid).then((started) => {
          if (started === null) return;
          known.set(pid, { pid, started, script });
          save();
        });
      },
      remove(pid) {
        if (pid !== undefined && known.delete(pid)) save();
      },
    },
  };
}
