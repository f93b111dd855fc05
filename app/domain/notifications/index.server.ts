export { type DeliveryDeps, deliverNext } from "./deliver.ts";
export { LinkBusyError, LinkNotValidError } from "./errors.ts";
export {
  claimLink,
  createLink,
  findLink,
  type Link,
  linkToken,
  spendLink,
  unclaimLink,
} from "./links.ts";
export { listMails, type MailKind, queueMail } from "./outbox.ts";
