import type { PoolClient } from "pg";
import type { Answer, Call } from "../../platform/http.ts";
import type { GatewayHandler } from "../context.ts";
import { contentRange, jsonAnswer, readAnswer, requireSingle } from "./answers.ts";
import { columnsOf, findRelation, type Relation } from "./catalog.ts";
import { badJson, notAPart, RestRefusal } from "./errors.ts";
import {
  isObject,
  namesOf,
  type Payload,
  payloadOf,
  type RowQuery,
  rowQueryOf,
  type Wishes,
  wishesOf,
} from "./request.ts";
import { asCaller } from "./session.ts";
import {
  GIVEN,
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

const tableName = (call: Call) => call.params.table ?? "";
const target = (relation: Relation) => `public.${quote(relation.name)}`;

async function outcomeOf(sql: PoolClient, text: string, values: Values): Promise<Outcome> {
  const { rows } = await sql.query<Outcome>(text, values.list);
  return rows[0] as Outcome;
}

const read: GatewayHandler = async (call, context) => {
  const query = rowQueryOf(call);
  const wishes = wishesOf(call);
  const outcome = await asCaller(call, context, "read only", async (sql) => {
    const relation = await findRelation(sql, tableName(call));
    const from = target(relation);
    const values = new Values();
    const where = whereOf(query, from, values);
    const total = wishes.count ? `(select count(*)::int from ${from} ${where})` : "null";
    return outcomeOf(
      sql,
      `with source as (select ${outputOf(query, from)} from ${from} ${where} ${pageOf(query, from)})
       select ${gather(ROW, wishes.single)}, ${total} as total from (select * from source) ${ROW}`,
      values,
    );
  });
  return readAnswer(wishes, outcome, query.offset);
};

/** Runs a statement that changes rows and ends in RETURNING; what it must not do is taken back. */
async function change(
  sql: PoolClient,
  statement: string,
  values: Values,
  wishes: Wishes,
): Promise<Outcome> {
  const outcome = await outcomeOf(
    sql,
    `with source as (${statement})
     select ${gather(ROW, wishes.single)}, null as total from (select * from source) ${ROW}`,
    values,
  );
  requireSingle(wishes, outcome);
  return outcome;
}

/** What a change returns to the caller; without a wish nothing, which needs no right to read. */
function returning(query: RowQuery, wishes: Wishes, relation: Relation): string {
  const from = target(relation);
  if (wishes.answer === "representation") return `returning ${outputOf(query, from)}`;
  const key = relation.primaryKey.map((name) => `${from}.${quote(name)}`);
  if (wishes.answer === "headers-only" && key.length > 0) return `returning ${key.join(", ")}`;
  return "returning 1 as changed";
}

function changed(
  wishes: Wishes,
  outcome: Outcome,
  status: { shown: number; silent: number },
  headers: Record<string, string>,
): Answer {
  const applied = [
    wishes.answer !== "minimal" && `return=${wishes.answer}`,
    wishes.duplicates && `resolution=${wishes.duplicates}`,
    wishes.count && "count=exact",
  ].filter(Boolean);
  const all =
    applied.length > 0 ? { ...headers, "preference-applied": applied.join(", ") } : headers;
  if (wishes.answer === "representation") {
    return jsonAnswer(wishes, status.shown, outcome.body, all);
  }
  return { status: status.silent, headers: all };
}

/** The objects that a body holds, and the columns that they fill. */
function rowsIn(payload: Payload, call: Call, relation: Relation) {
  const list = Array.isArray(payload.value) ? payload.value : [payload.value];
  if (!list.every(isObject)) throw badJson();
  const named = call.query.get("columns");
  const keys = named === null ? Object.keys(list[0] ?? {}) : namesOf(named, "columns parameter");
  const alike = (row: Record<string, unknown>) =>
    Object.keys(row).length === keys.length && keys.every((key) => Object.hasOwn(row, key));
  if (named === null && !list.every(alike)) throw badJson("All object keys must match");
  return { columns: columnsOf(relation, [...new Set(keys)]), list: Array.isArray(payload.value) };
}

function onConflict(call: Call, wishes: Wishes, relation: Relation, columns: string[]): string {
  if (!wishes.duplicates) return "";
  const named = call.query.get("on_conflict");
  const names = named === null ? relation.primaryKey : namesOf(named, "on_conflict parameter");
  if (names.length === 0) return "";
  const key = columnsOf(relation, names).map(({ name }) => quote(name));
  if (wishes.duplicates === "ignore-duplicates" || columns.length === 0) {
    return `on conflict (${key.join(", ")}) do nothing`;
  }
  const set = columns.map((name) => `${name} = excluded.${name}`);
  return `on conflict (${key.join(", ")}) do update set ${set.join(", ")}`;
}

/** The address of the one new row, by its primary key. */
function location(relation: Relation, wishes: Wishes, outcome: Outcome): Record<string, string> {
  if (wishes.answer !== "headers-only" || outcome.count !== 1) return {};
  const shown: unknown = JSON.parse(outcome.body);
  const row = (Array.isArray(shown) ? shown[0] : shown) as Record<string, unknown>;
  if (relation.primaryKey.length === 0) return {};
  const filters = relation.primaryKey.map(
    (name) => `${encodeURIComponent(name)}=eq.${encodeURIComponent(`${row[name]}`)}`,
  );
  return { location: `/${encodeURIComponent(relation.name)}?${filters.join("&")}` };
}

const insert: GatewayHandler = async (call, context) => {
  const query = rowQueryOf(call);
  const wishes = wishesOf(call);
  const payload = payloadOf(call);
  return asCaller(call, context, "read write", async (sql) => {
    const relation = await findRelation(sql, tableName(call));
    const { columns, list } = rowsIn(payload, call, relation);
    const values = new Values();
    const names = columns.map(({ name }) => quote(name));
    const rows = rowsOf(values.bind(payload.text), list, columns);
    const outcome = await change(
      sql,
      `insert into ${target(relation)} ${names.length > 0 ? `(${names.join(", ")})` : ""} ${rows}
       ${onConflict(call, wishes, relation, names)} ${returning(query, wishes, relation)}`,
      values,
      wishes,
    );
    return changed(
      wishes,
      outcome,
      { shown: 201, silent: 201 },
      {
        ...location(relation, wishes, outcome),
        "content-range": `*/${wishes.count ? outcome.count : "*"}`,
      },
    );
  });
};

/** Supabase loads safeupdate for the Data API: a change of every row must say so. */
function requireFilter(call: Call, query: RowQuery): void {
  if (query.order.length > 0 || query.limit !== null || query.offset > 0) {
    throw notAPart(`order=, limit= and offset= with ${call.method}`);
  }
  if (query.filters.length > 0) return;
  const word = call.method === "PATCH" ? "UPDATE" : "DELETE";
  throw new RestRefusal(400, "21000", `${word} requires a WHERE clause`);
}

const update: GatewayHandler = async (call, context) => {
  const query = rowQueryOf(call);
  const wishes = wishesOf(call);
  const payload = payloadOf(call);
  requireFilter(call, query);
  if (!isObject(payload.value)) throw badJson();
  return asCaller(call, context, "read write", async (sql) => {
    const relation = await findRelation(sql, tableName(call));
    const { columns } = rowsIn(payload, call, relation);
    const values = new Values();
    const rows = rowsOf(values.bind(payload.text), false, columns);
    const set = columns.map(({ name }) => `${quote(name)} = ${GIVEN}.${quote(name)}`);
    const from = target(relation);
    const outcome =
      columns.length === 0
        ? { body: wishes.single ? "null" : "[]", count: 0, total: null }
        : await change(
            sql,
            `update ${from} set ${set.join(", ")} from (${rows}) ${GIVEN}
             ${whereOf(query, from, values)} ${returning(query, wishes, relation)}`,
            values,
            wishes,
          );
    requireSingle(wishes, outcome);
    const range = contentRange(0, outcome.count, wishes.count ? outcome.count : null);
    return changed(wishes, outcome, { shown: 200, silent: 204 }, { "content-range": range });
  });
};

const remove: GatewayHandler = async (call, context) => {
  const query = rowQueryOf(call);
  const wishes = wishesOf(call);
  requireFilter(call, query);
  return asCaller(call, context, "read write", async (sql) => {
    const relation = await findRelation(sql, tableName(call));
    const values = new Values();
    const from = target(relation);
    const outcome = await change(
      sql,
      `delete from ${from} ${whereOf(query, from, values)} ${returning(query, wishes, relation)}`,
      values,
      wishes,
    );
    const range = `*/${wishes.count ? outcome.count : "*"}`;
    return changed(wishes, outcome, { shown: 200, silent: 204 }, { "content-range": range });
  });
};

const put: GatewayHandler = () => {
  throw notAPart("PUT: use POST with Prefer: resolution=merge-duplicates");
};

/** The Data API's tables and views. */
export const tableRoutes: Record<string, GatewayHandler> = {
  "GET /rest/v1/:table": read,
  "HEAD /rest/v1/:table": read,
  "POST /rest/v1/:table": insert,
  "PATCH /rest/v1/:table": update,
  "DELETE /rest/v1/:table": remove,
  "PUT /rest/v1/:table": put,
};
