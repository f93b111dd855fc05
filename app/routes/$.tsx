/**
 * Every address that nothing else answers. With a route of its own, server and browser agree on
 * what the page is: Remix's discovery of routes takes the nearest layout for it otherwise.
 */
export function loader(): never {
  throw new Response(null, { status: 404 });
}

export function action(): never {
  return loader();
}

/** Makes this a page: its error is shown by root.tsx. */
export default function Nothing() {
  return null;
}
