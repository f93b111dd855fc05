/** The rules of `npm run templates -- check` about schemas, for the tests of the templates. */
export { privileges, schemaBreaches } from "../scripts/templates/schema-rules.ts";
