import type { Answer, Call } from "../../platform/http.ts";
import type { GatewayContext, GatewayHandler } from "../context.ts";
import { jsonAnswer, readAnswer } from "./answers.ts";
import { findRoutine, type Given, type Routine } from "./catalog.ts";
import { badJson, notAPart, RestRefusal } from "./errors.ts";
import {
  isObject,
  payloadOf,
  type RowQuery,
  rowQueryOf,
  type Wishes,
  wishesOf,
} from "./request.ts";
import { asCaller } from "./session.ts";
import {
  gather,
  type Outcome,
  outputOf,
  pageOf,
  quote,
  ROW,
  rowsOf,
  Values,
  whereOf,
} from "./sql.ts";

/** The statement that calls the function and gathers what it returns as JSON. */
function statementOf(routine: Routine, given: Given, query: RowQuery, wishes: Wishes) {
  const values = new Values();
  const rows = rowsOf(values.bind(given.text), false, routine.args);
  const named = routine.args.map(({ name }) => `${quote(name)} => given.${quote(name)}`);
  const call = `public.${quote(routine.name)}(${named.join(", ")})`;
  const one = !routine.set || wishes.single;
  if (routine.returns !== "row") {
    const text = `with source as (select ${call} as value from (${rows}) given)
      select ${gather("source.value", one)}, null as total from source`;
    return { text, values: values.list };
  }
  const where = whereOf(query, "source", values);
  const total = wishes.count ? `(select count(*)::int from source ${where})` : "null";
  const text = `
    with source as (select called.* from (${rows}) given, lateral ${call} called),
      page as (select ${outputOf(query, "source")} from source ${where} ${pageOf(query, "source")})
    select ${gather(ROW, one)}, ${total} as total from (select * from page) ${ROW}`;
  return { text, values: values.list };
}

const NO_ROWS: RowQuery = { select: null, filters: [], order: [], limit: null, offset: 0 };

/** What is no argument of a function that returns rows is asked of these rows. */
function queryOf(call: Call, routine: Routine, inAddress: boolean): RowQuery {
  const except = new Set(inAddress ? routine.args.map(({ name }) => name) : []);
  const query = rowQueryOf(call, except);
  if (routine.returns === "row") return query;
  if (JSON.stringify(query) !== JSON.stringify(NO_ROWS)) {
    throw notAPart("filters, order and pages on a function that returns no rows");
  }
  return query;
}

async function invoke(call: Call, context: GatewayContext, given: Given): Promise<Answer> {
  const wishes = wishesOf(call);
  const { inAddress } = given;
  const name = call.params.function ?? "";
  return asCaller(call, context, inAddress ? "read only" : "read write", async (sql) => {
    const routine = await findRoutine(sql, name, given);
    // PostgREST lets no function write that does not say it does.
    if (!routine.volatile) await sql.query("set transaction read only");
    const query = queryOf(call, routine, inAddress);
    const { text, values } = statementOf(routine, given, query, wishes);
    const { rows } = await sql.query<Outcome>(text, values);
    if (routine.returns === "nothing") return { status: 204 };
    const outcome = rows[0] as Outcome;
    if (routine.set) return readAnswer(wishes, outcome, query.offset);
    return jsonAnswer(wishes, 200, outcome.body, {});
  });
}

const byBody: GatewayHandler = (call, context) => {
  const payload = payloadOf(call, "{}");
  const { value } = payload;
  if (!isObject(value)) throw badJson();
  const names = () => Object.keys(value);
  return invoke(call, context, { text: payload.text, names, inAddress: false });
};

/** In the address, what fits no parameter and reads as a filter is one. */
const byAddress: GatewayHandler = (call, context) => {
  const reserved = new Set(["select", "order", "limit", "offset", "apikey"]);
  const pairs = [...call.query].filter(([key]) => !reserved.has(key));
  return invoke(call, context, {
    text: JSON.stringify(Object.fromEntries(pairs)),
    names: (parameters) =>
      pairs
        .filter(([key, value]) => parameters.has(key) || !/^\w+\./.test(value))
        .map(([key]) => key),
    inAddress: true,
  });
};

const otherMethod: GatewayHandler = (call) => {
  throw new RestRefusal(405, "PGRST101", `Cannot use the ${call.method} method on RPC`);
};

/** The Data API's functions. */
export const functionRoutes: Record<string, GatewayHandler> = {
  "POST /rest/v1/rpc/:function": byBody,
  "GET /rest/v1/rpc/:function": byAddress,
  "HEAD /rest/v1/rpc/:function": byAddress,
  "PUT /rest/v1/rpc/:function": otherMethod,
  "PATCH /rest/v1/rpc/:function": otherMethod,
  "DELETE /rest/v1/rpc/:function": otherMethod,
};
