export { type ClockSegment, dueAt, estimateCompletion } from "./due.ts";
