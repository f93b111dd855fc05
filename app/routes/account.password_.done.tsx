import type { MetaFunction } from "@remix-run/node";
import { Frame } from "../components/frame.tsx";
import { Message } from "../components/message.tsx";

export const meta: MetaFunction = () => [{ title: "Your password is set · Berth" }];

export default function PasswordSet() {
  return (
    <Frame>
      <Message title="Your password is set">
        <p>You will hear from us by mail when the work on your backend begins.</p>
      </Message>
    </Frame>
  );
}
