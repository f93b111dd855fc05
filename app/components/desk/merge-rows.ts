/** A row that stands in a list, and whether the list as it is now still has it. */
export type HeldRow<Row> = Row & { gone: boolean };

export interface Merged<Row> {
  rows: HeldRow<Row>[];
  /** Rows that would come, go or stand elsewhere in the list as it is now. */
  changes: number;
}

/**
 * The list as a person looks at it, brought up to date without moving a row: each keeps its place
 * and shows what is true now; one that has left stays, marked; new ones are held back.
 */
export function mergeRows<Row extends { requestId: string }>(
  held: readonly Row[],
  fresh: readonly Row[],
): Merged<Row> {
  const now = new Map(fresh.map((row) => [row.requestId, row]));
  const rows = held.map((row) => {
    const current = now.get(row.requestId);
    return { ...(current ?? row), gone: current === undefined };
  });
  const stayed = rows.filter(({ gone }) => !gone).map(({ requestId }) => requestId);
  const gone = rows.length - stayed.length;
  const arrived = fresh.length - stayed.length;
  const place = new Map(stayed.map((id, index) => [id, index]));
  const order = fresh.flatMap(({ requestId }) => place.get(requestId) ?? []);
  const changes = gone + arrived + (order.length - longestRise(order));
  return { rows, changes };
}

/** How many of these numbers are in order already: the fewest others are what moved. */
function longestRise(numbers: readonly number[]): number {
  // The smallest number that a rise of each length can end with; itself a rising list.
  const ends: number[] = [];
  for (const number of numbers) {
    const at = ends.findIndex((end) => end >= number);
    ends[at < 0 ? ends.length : at] = number;
  }
  return ends.length;
}
