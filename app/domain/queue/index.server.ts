export {
  changesSince,
  MovedOnError,
  newestChanges,
  type RequestChange,
  readSeen,
  requireUnmoved,
  type Seen,
} from "./changes.ts";
export {
  claimRequest,
  expireClaims,
  releaseAllOf,
  releaseRequest,
  requireHeld,
  resumeRequest,
} from "./claims.ts";
export { type DeskFilter, type IgnoredParameter, readDeskFilter } from "./desk-filter.ts";
export { type DeskPage, type DeskRow, listDesk } from "./desk-list.ts";
export { DESK_OPEN, type DeskStatus, deskStatusSql } from "./desk-status.ts";
export {
  assigneeName,
  countDesk,
  type DeskCounts,
  deskChoices,
} from "./desk-surroundings.ts";
export * from "./errors.ts";
export {
  eventsAfter,
  eventsById,
  eventsSince,
  newestEvents,
  type QueueEvent,
} from "./events.ts";
export {
  findRequest,
  getQueueItem,
  listQueue,
  type QueueFilter,
  type QueueItem,
  queueFilter,
} from "./list.ts";
export { addNote } from "./notes.ts";
export { type Outlook, outlookOf } from "./outlook.ts";
export { estimateFor, positionsOf, type Ranking, rankWaiting } from "./positions.ts";
export { changePriority, type Priority } from "./priority.ts";
export {
  addEvent,
  type Context,
  createRequest,
  databaseNow,
  lockRequest,
  mailCustomer,
  moveRequest,
  type NewRequest,
  type RequestRow,
} from "./requests.ts";
export { LONGEST_NOTE } from "./schema.ts";
export { EDGES, ENDED, HELD, leadingTo, OPEN, type RequestStatus } from "./states.ts";
export { momentInWords, tellEvent, windowInWords, zoneInWords } from "./words.ts";
