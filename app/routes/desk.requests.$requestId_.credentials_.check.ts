import type { ActionFunctionArgs } from "@remix-run/node";
import { type CheckMessage, readCredentials, testPasted } from "#app/web/credentials.server.ts";
import { readForm } from "#app/web/forms.server.ts";
import { requestIdOf } from "#app/web/request-id.server.ts";
import { requireDesk } from "#app/web/session.server.ts";

/**
 * The connection test for a page that watches: newline-delimited JSON, a line as soon as it is
 * known. The values come in the body; no answer repeats them.
 */
export async function action(args: ActionFunctionArgs) {
  const { actor } = await requireDesk(args);
  const requestId = requestIdOf(args.params);
  const { given, fields } = readCredentials(await readForm(args.request));
  const { context } = args;
  return streamed(async (say) => {
    if (!given) return say({ fields });
    const { answer } = await testPasted({ context, actor, requestId }, given, (line) =>
      say({ line }),
    ).catch((error: unknown) => {
      const { correlationId } = context;
      context.runtime.log.error({ err: error, correlationId }, "a connection test failed");
      return { answer: { problem: broken(correlationId) } };
    });
    say(answer);
  });
}

const broken = (correlationId: string) => ({
  code: "internal",
  text: "Berth could not finish the test.",
  fix: `Test again. If it fails again, say this number: ${correlationId}`,
});

/** The answer is written while `work` goes on; whoever has left is not written to. */
function streamed(work: (say: (message: CheckMessage) => void) => Promise<void>): Response {
  const encoder = new TextEncoder();
  let isOpen = true;
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      await work((message) => {
        if (isOpen) controller.enqueue(encoder.encode(`${JSON.stringify(message)}\n`));
      });
      if (isOpen) controller.close();
    },
    cancel() {
      isOpen = false;
    },
  });
  return new Response(body, {
    headers: {
      "Content-Type": "application/x-ndjson; charset=utf-8",
      "Cache-Control": "no-store",
      // Proxies in front are asked not to collect the lines.
      "X-Accel-Buffering": "no",
    },
  });
}
