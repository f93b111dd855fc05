/**
 * The mail catcher's process: an SMTP server and a page that shows what it got, both for this
 * machine alone. Mail is kept beside the other data, for its owner's eyes. Ends when the process that started it ends.
 */
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";

const port = (name: string) => Number.parseInt(process.env[name] ?? "", 10);

// maildev is CommonJS without types, and ends itself on SIGTERM.
const maildev = createRequire(import.meta.url)("maildev") as (options: object) => {
  listen(ready: (error?: Error) => void): void;
};
const mailDirectory = process.env.MAIL_DIRECTORY ?? "";
mkdirSync(mailDirectory, { recursive: true, mode: 0o700 });
const catcher = maildev({
  mailDirectory,
  smtp: port("MAIL_SMTP_PORT"),
  ip: "127.0.0.1",
  web: port("MAIL_PAGE_PORT"),
  webIp: "127.0.0.1",
  silent: true,
});
catcher.listen((error) => {
  if (error) throw error;
});
process.on("disconnect", () => process.exit(0));
