import net, { type AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { createMailer, MailNotTakenError } from "./mailer.ts";

const MAIL = {
  messageId: "<1@berth.example>",
  to: { name: "Ann", address: "ann@example.com" },
  subject: "Hello",
  text: "Hello",
  html: "<p>Hello</p>",
};

let listener: net.Server | undefined;
const sockets = new Set<net.Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  listener?.close();
});

/** Listens as a mail server does that speaks to each connection as told. @returns its address. */
async function listen(speak: (socket: net.Socket) => void): Promise<string> {
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    speak(socket);
  });
  listener = server;
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that takes everything but what `refusals` names: a verb, the greeting or the message. */
const scripted = (refusals: Record<string, number>) => (socket: net.Socket) => {
  const say = (stage: string, otherwise: string) => {
    const code = refusals[stage];
    socket.write(`${code === undefined ? otherwise : `${code} no`}\r\n`);
  };
  let rest = "";
  let isMessage = false;
  say("greeting", "220 mail.example ESMTP");
  socket.on("data", (data) => {
    const lines = `${rest}${data}`.split("\r\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const verb = line.split(" ", 1)[0] ?? "";
      if (isMessage) {
        if (line !== ".") continue;
        isMessage = false;
        say("message", "250 taken");
      } else if (verb === "EHLO") {
        say(verb, "250-mail.example\r\n250 AUTH PLAIN");
      } else if (verb === "AUTH") {
        say(verb, "235 welcome");
      } else if (verb === "DATA") {
        isMessage = true;
        say(verb, "354 go on");
      } else {
        say(verb, "250 fine");
      }
    }
  });
};

async function failureOf(sending: Promise<void>): Promise<MailNotTakenError> {
  const failure = await sending.then(
    () => null,
    (error: unknown) => error,
  );
  if (failure instanceof MailNotTakenError) return failure;
  throw new Error(`It ended otherwise: ${failure}`);
}

it("logs in and hands a mail over", async () => {
  const mailer = createMailer(
    `smtp://user:password@${await listen(scripted({}))}`,
    "b@berth.example",
  );
  await mailer.send(MAIL);
});

it.each([
  ["the recipient for good", { RCPT: 550 }, true],
  ["the message for good", { message: 554 }, true],
  ["the recipient for now", { RCPT: 450 }, false],
  ["the message for now", { message: 451 }, false],
  ["the login", { AUTH: 535 }, false],
  ["the sender", { MAIL: 550 }, false],
  ["everybody, by its greeting", { greeting: 554 }, false],
  ["everybody, by its name", { EHLO: 550, HELO: 550 }, false],
])("tells whether it is final that a server refuses %s", async (_, refusals, final) => {
  const mailer = createMailer(
    `smtp://user:password@${await listen(scripted(refusals))}`,
    "b@berth.example",
  );
  const failure = await failureOf(mailer.send(MAIL));
  expect(failure).toMatchObject({ final, retryable: !final });
  const [code] = Object.values(refusals);
  expect(failure.message).toBe(`The mail server answered ${code}.`);
});

it("gives a server up that keeps talking and never comes to the point", async () => {
  let hungUp = () => {};
  const gone = new Promise<void>((resolve) => {
    hungUp = resolve;
  });
  const address = await listen((socket) => {
    socket.write("220 mail.example ESMTP\r\n");
    const talk = setInterval(() => socket.write("250-and another thing\r\n"), 50);
    socket.on("close", () => {
      clearInterval(talk);
      hungUp();
    });
    socket.resume();
  });
  const mailer = createMailer(`smtp://${address}`, "b@berth.example", 500);
  expect(await failureOf(mailer.send(MAIL))).toMatchObject({
    message: "The mail server took too long.",
    final: false,
  });
  await gone;
});
