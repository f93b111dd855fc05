export { claimRequest, expireClaims, releaseRequest, requireHeld } from "./claims.ts";
export * from "./errors.ts";
export { getQueueItem, listQueue, type QueueFilter, type QueueItem, queueFilter } from "./list.ts";
export { estimateFor, positionsOf } from "./positions.ts";
export {
  addEvent,
  type Context,
  createRequest,
  lockRequest,
  mailCustomer,
  moveRequest,
  type NewRequest,
  type RequestRow,
} from "./requests.ts";
export { EDGES, HELD, type RequestStatus } from "./states.ts";
