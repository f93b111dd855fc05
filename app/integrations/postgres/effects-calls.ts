import { names, type SyntaxTree, walk } from "./syntax-tree.ts";

/**
 * Functions of PostgreSQL and Supabase that are not volatile: their value is computed once for a new
 * column, and stored beside the table instead of in each row.
 */
export const STEADY: ReadonlySet<string> = new Set(
  (
    "now transaction_timestamp statement_timestamp current_setting lower upper initcap concat " +
    "concat_ws format md5 length substring trim btrim ltrim rtrim replace split_part to_char " +
    "to_date to_timestamp to_json to_jsonb date_trunc date_part extract timezone age make_date " +
    "make_interval make_timestamptz json_build_object json_build_array jsonb_build_object " +
    "jsonb_build_array jsonb_object json_object array_fill int4range int8range numrange daterange " +
    "tsrange tstzrange abs round floor ceil power sqrt uid role jwt email to_tsvector"
  ).split(" "),
);

/** Further functions of theirs that read and lock no table of a customer's. */
const HARMLESS = new Set(
  (
    "clock_timestamp timeofday random gen_random_uuid gen_random_bytes uuid_generate_v4 nextval " +
    "setval currval lastval set_config pg_notify pg_sleep pg_get_serial_sequence pg_typeof version " +
    "to_regclass to_regtype to_regproc to_regnamespace has_table_privilege has_any_column_privilege " +
    "has_schema_privilege has_function_privilege to_regprocedure " +
    "obj_description col_description format_type quote_ident quote_literal quote_nullable " +
    "count sum min max avg every bool_and bool_or array_agg string_agg json_agg jsonb_agg " +
    "json_object_agg jsonb_object_agg row_number rank dense_rank ntile lag lead first_value " +
    "last_value nth_value percentile_cont percentile_disc mode stddev variance " +
    "generate_series generate_subscripts unnest array_length array_position array_append " +
    "array_prepend array_cat array_remove array_replace array_to_string string_to_array " +
    "array_to_json row_to_json cardinality greatest least char_length octet_length strpos position " +
    "overlay left right lpad rpad repeat reverse translate chr ascii starts_with regexp_replace " +
    "regexp_match regexp_matches regexp_split_to_array regexp_split_to_table like_escape " +
    "encode decode digest hmac crypt gen_salt sha256 sha512 convert_to convert_from hashtext " +
    "json_array_elements jsonb_array_elements json_array_elements_text jsonb_array_elements_text " +
    "json_array_length jsonb_array_length json_each jsonb_each json_each_text jsonb_each_text " +
    "json_object_keys jsonb_object_keys json_populate_record jsonb_populate_record " +
    "json_populate_recordset jsonb_populate_recordset json_to_record jsonb_to_record " +
    "json_to_recordset jsonb_to_recordset json_extract_path jsonb_extract_path json_typeof " +
    "jsonb_typeof jsonb_set jsonb_insert jsonb_pretty jsonb_strip_nulls json_strip_nulls " +
    "jsonb_path_query jsonb_path_exists make_time make_timestamp justify_days justify_hours " +
    "justify_interval isfinite ceiling trunc sign mod exp ln log div width_bucket to_number " +
    "to_tsquery plainto_tsquery websearch_to_tsquery setweight ts_rank coalesce nullif lower_inc " +
    "upper_inc isempty range_merge txid_current pg_current_xact_id num_nulls num_nonnulls"
  ).split(" "),
);

const THEIR_SCHEMAS = new Set(["pg_catalog", "extensions", "auth"]);

/** Calls within a tree whose locks nobody knows: of any function that is not a known built-in. */
export function* unknownCalls(tree: SyntaxTree): Generator<string> {
  for (const { key, node } of walk(tree)) {
    if (key !== "FuncCall") continue;
    const parts = names(node.funcname);
    const name = parts.at(-1) ?? "";
    const schema = parts.at(-2);
    const isTheirs = schema === undefined || THEIR_SCHEMAS.has(schema);
    if (!isTheirs || !(STEADY.has(name) || HARMLESS.has(name))) yield parts.join(".");
  }
}
