export { type DeliveryDeps, deliverNext } from "./deliver.ts";
export * from "./errors.ts";
export {
  claimLink,
  createLink,
  findLink,
  type Link,
  linkToken,
  spendLink,
  unclaimLink,
  voidLinks,
} from "./links.ts";
export { listMails, type MailKind, queueMail } from "./outbox.ts";
export { listOutbox, type OutboxFilter, type OutboxItem, outboxFilter } from "./outbox-list.ts";
export { type Resent, resendMail } from "./resend.ts";
