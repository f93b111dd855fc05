import { flatRoutes } from "@remix-run/fs-routes";

/** Routes are the files of app/routes, by Remix's flat naming; tests lie beside them. */
export default flatRoutes({ ignoredRouteFiles: ["**/*.test.*", "**/.*"] });
