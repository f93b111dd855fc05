import type { ShouldRevalidateFunctionArgs } from "@remix-run/react";

/**
 * A refusal often means that the page is behind: its loaders are read again, too. Remix does so after
 * a success alone. For a route to export as its `shouldRevalidate`.
 */
export const readAgainAfterRefusal = ({
  actionStatus,
  defaultShouldRevalidate,
}: ShouldRevalidateFunctionArgs): boolean => actionStatus !== undefined || defaultShouldRevalidate;
