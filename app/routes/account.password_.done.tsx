import type { MetaFunction } from "@remix-run/node";
import { Frame } from "../components/frame.tsx";
import { Message } from "../components/message.tsx";
import { ButtonLink } from "../components/ui.tsx";

export const meta: MetaFunction = () => [{ title: "Your password is set · Berth" }];

export default function PasswordSet() {
  return (
    <Frame>
      <Message title="Your password is set">
        <p>You have been signed out everywhere. Sign in with your new password.</p>
        <ButtonLink to="/sign-in" variant="primary">
          Sign in
        </ButtonLink>
      </Message>
    </Frame>
  );
}
