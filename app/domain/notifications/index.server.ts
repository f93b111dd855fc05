export { type DeliveryDeps, deliverNext } from "./deliver.ts";
export { LinkNotValidError } from "./errors.ts";
export { createLink, findLink, type Link, linkToken, spendLink } from "./links.ts";
export { listMails, type MailKind, queueMail } from "./outbox.ts";
