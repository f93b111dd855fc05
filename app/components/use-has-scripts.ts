import { useEffect, useState } from "react";

/** Whether scripts run: false in a page from the server and while it is taken over, true thereafter. */
export function useHasScripts(): boolean {
  const [hasScripts, setHasScripts] = useState(false);
  useEffect(() => setHasScripts(true), []);
  return hasScripts;
}
