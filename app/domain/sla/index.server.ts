export { type ClockSegment, dueAt, estimateCompletion } from "./due.ts";
export {
  type DueState,
  dueState,
  dueStateSql,
  isLateSql,
  isOpenSql,
  isSoonSql,
  SOON_SHARE,
  targetOfRequest,
} from "./due-state.ts";
