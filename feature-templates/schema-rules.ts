/** What `npm run templates -- check` asks of a database, for the tests of the templates. */
export { privileges } from "../scripts/templates/privileges.ts";
