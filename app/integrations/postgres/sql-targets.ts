import { names, type SyntaxTree } from "./syntax-tree.ts";

type Lister = (node: SyntaxTree) => (string | undefined)[];

/** A name without a schema that begins with pg_ is found in pg_catalog first. */
const rangeVar = (value: unknown) => {
  const relation = value as { schemaname?: string; relname?: string } | undefined;
  return relation?.schemaname ?? (relation?.relname?.startsWith("pg_") ? "pg_catalog" : undefined);
};
const ofRelation: Lister = (node) => [rangeVar(node.relation)];
const qualifier = (list: unknown) => names(list).at(-2);

/** Schemas in the `objects` of DROP, GRANT and COMMENT, whose shape depends on the object's type. */
function schemasOfObject(object: SyntaxTree, isSchema: boolean, isChild: boolean): string[] {
  const wrapped = object as {
    RangeVar?: { schemaname?: string };
    String?: { sval?: string };
    List?: { items?: SyntaxTree[] };
    ObjectWithArgs?: { objname?: SyntaxTree[] };
    TypeName?: { names?: SyntaxTree[] };
  };
  if (wrapped.RangeVar) return [rangeVar(wrapped.RangeVar) ?? []].flat();
  if (wrapped.String) return isSchema && wrapped.String.sval ? [wrapped.String.sval] : [];
  const parts = names(
    wrapped.List?.items ?? wrapped.ObjectWithArgs?.objname ?? wrapped.TypeName?.names ?? [],
  );
  // A column, trigger, policy or constraint carries its table's name before its own.
  const schema = parts.at(isChild ? -3 : -2);
  return schema ? [schema] : [];
}

const CHILD_OBJECTS = new Set([
  "OBJECT_COLUMN",
  "OBJECT_TABCONSTRAINT",
  "OBJECT_TRIGGER",
  "OBJECT_POLICY",
  "OBJECT_RULE",
]);

function ofObjects(objects: unknown, type: unknown): string[] {
  const list = (Array.isArray(objects) ? objects : objects ? [objects] : []) as SyntaxTree[];
  const isChild = CHILD_OBJECTS.has(String(type));
  return list.flatMap((o) => schemasOfObject(o, type === "OBJECT_SCHEMA", isChild));
}

/** Rows that a template may add: buckets are made by INSERT, there is no other statement for it. */
const isBuckets = (value: unknown) => {
  const relation = value as { schemaname?: string; relname?: string } | undefined;
  return relation?.schemaname === "storage" && relation.relname === "buckets";
};
const ofRows: Lister = (node) => (isBuckets(node.relation) ? [] : ofRelation(node));

/**
 * Supabase lets `postgres` write policies for these, and triggers on auth.users.
 * https://supabase.com/docs/guides/storage/security/access-control
 */
const openTables = new Set(["storage.objects", "storage.buckets", "realtime.messages"]);
/** Whether a statement, given by its words up to its target, may change this table of the platform. */
export function isOpenTo(words: string, table: string): boolean {
  if (/^(create|alter|drop) policy /.test(words)) return openTables.has(table);
  if (/^(create|drop) (or replace |constraint )*trigger /.test(words))
    return table === "auth.users";
  return /^(insert|update|merge) /.test(words) && table === "storage.buckets";
}
const ofPolicy: Lister = (node) => {
  const table = node.table as { schemaname?: string; relname?: string } | undefined;
  return openTables.has(`${table?.schemaname}.${table?.relname}`) ? [] : [table?.schemaname];
};
const ofTrigger: Lister = (node) => {
  const table = node.relation as { schemaname?: string; relname?: string } | undefined;
  return table?.schemaname === "auth" && table.relname === "users" ? [] : [table?.schemaname];
};
const ofDrop: Lister = (node) => {
  const allowed = node.removeType === "OBJECT_POLICY" || node.removeType === "OBJECT_TRIGGER";
  const first = ((node.objects ?? []) as { List?: { items?: SyntaxTree[] } }[])[0];
  const table = names(first?.List?.items).slice(0, -1).join(".");
  if (allowed && (openTables.has(table) || table === "auth.users")) return [];
  return ofObjects(node.objects, node.removeType);
};

const LISTERS: Readonly<Record<string, Lister>> = {
  CreateStmt: ofRelation,
  IndexStmt: ofRelation,
  AlterTableStmt: ofRelation,
  InsertStmt: ofRows,
  UpdateStmt: ofRows,
  DeleteStmt: ofRelation,
  MergeStmt: ofRows,
  RuleStmt: ofRelation,
  RefreshMatViewStmt: ofRelation,
  ClusterStmt: ofRelation,
  ReindexStmt: ofRelation,
  RenameStmt: (n) => [rangeVar(n.relation), ...ofObjects(n.object, n.renameType)],
  AlterObjectSchemaStmt: (n) => [
    rangeVar(n.relation),
    n.newschema as string | undefined,
    ...ofObjects(n.object, n.objectType),
  ],
  TruncateStmt: (n) => ofObjects(n.relations, undefined),
  LockStmt: (n) => ofObjects(n.relations, undefined),
  CreateTrigStmt: ofTrigger,
  CreatePolicyStmt: ofPolicy,
  AlterPolicyStmt: ofPolicy,
  ViewStmt: (n) => [rangeVar(n.view)],
  intoClause: (n) => [rangeVar(n.rel)],
  into: (n) => [rangeVar(n.rel)],
  CreateFunctionStmt: (n) => [qualifier(n.funcname)],
  AlterFunctionStmt: (n) => [qualifier((n.func as SyntaxTree | undefined)?.objname)],
  CreateSeqStmt: (n) => [rangeVar(n.sequence)],
  AlterSeqStmt: (n) => [rangeVar(n.sequence)],
  CreateSchemaStmt: (n) => [n.schemaname as string | undefined],
  CompositeTypeStmt: (n) => [rangeVar(n.typevar)],
  CreateEnumStmt: (n) => [qualifier(n.typeName)],
  AlterEnumStmt: (n) => [qualifier(n.typeName)],
  CreateDomainStmt: (n) => [qualifier(n.domainname)],
  AlterDomainStmt: (n) => [qualifier(n.typeName)],
  CreateRangeStmt: (n) => [qualifier(n.typeName)],
  DefineStmt: (n) => [qualifier(n.defnames)],
  CreateStatsStmt: (n) => [qualifier(n.defnames)],
  DropStmt: ofDrop,
  GrantStmt: (n) =>
    // ON ALL … IN SCHEMA lists schemas, whatever the type of the objects.
    ofObjects(n.objects, n.targtype === "ACL_TARGET_ALL_IN_SCHEMA" ? "OBJECT_SCHEMA" : n.objtype),
  CommentStmt: (n) => ofObjects(n.object, n.objtype),
};

/**
 * The schemas that a statement changes by name. A name without a schema resolves by search_path,
 * which the wall keeps clear of protected schemas.
 */
export function changedSchemas(name: string, node: SyntaxTree): string[] {
  return (LISTERS[name]?.(node) ?? []).filter((schema) => schema !== undefined);
}
