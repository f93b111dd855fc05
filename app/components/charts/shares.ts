/** A part in whole percents, rounded down: what is short of 100 % is never told as 100 %. */
export const percentOf = (part: number, whole: number): number => Math.floor((part * 100) / whole);

/** Whether the part itself, not its rounded percentage, is as much of the whole as `target`. */
export const reaches = (part: number, whole: number, target: number): boolean =>
  part / whole >= target;
