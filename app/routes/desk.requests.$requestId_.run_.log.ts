import type { LoaderFunctionArgs } from "@remix-run/node";
import { readRun, runLog } from "#app/domain/provisioning/index.server.ts";
import { requestIdOf } from "#app/web/request-id.server.ts";
import { inTx, requireDesk } from "#app/web/session.server.ts";

/** A run as a text file: the one that `?run=` names, else the newest. */
export async function loader(args: LoaderFunctionArgs) {
  const { actor } = await requireDesk(args);
  const requestId = requestIdOf(args.params);
  const { catalog } = args.context.runtime.services;
  const chosen = new URL(args.request.url).searchParams.get("run") ?? undefined;
  const { run } = await inTx(args, actor, (tx) => readRun({ tx, catalog }, requestId, chosen));
  if (!run) throw new Response(null, { status: 404 });
  return new Response(runLog(run), {
    headers: {
      "Content-Type": "text/plain; charset=utf-8",
      "Content-Disposition": `attachment; filename="run-${run.runId}.txt"`,
      "Cache-Control": "no-store",
    },
  });
}
