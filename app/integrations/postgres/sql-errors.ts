import { BerthError } from "#app/platform/errors.ts";

/** Where in a template's file something is wrong. Lines count from 1. */
export interface SqlPlace {
  file: string;
  line: number;
}

/** PostgreSQL's own parser cannot read the file. */
export class SqlSyntaxError extends BerthError {
  readonly file: string;
  readonly line: number;

  constructor(place: SqlPlace, message: string, fix: string) {
    super("sql_syntax", `${place.file}:${place.line}: ${message}.`, { found: message, fix });
    this.file = place.file;
    this.line = place.line;
  }
}

/** The file holds a statement that may not run against a customer's database. */
export class ForbiddenStatementError extends BerthError {
  readonly file: string;
  readonly line: number;

  constructor(place: SqlPlace, found: string, reason: string, fix: string) {
    super("sql_forbidden", `${place.file}:${place.line}: ${found} is refused: ${reason}.`, {
      found,
      needed: reason,
      fix,
    });
    this.file = place.file;
    this.line = place.line;
  }
}
