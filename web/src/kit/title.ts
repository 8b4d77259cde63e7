import { useEffect } from "react";

/** The title of the browser's tab; null leaves it to another part of the page. */
export function useTitle(title: string | null): void {
  // Follows document.title, which belongs to the browser.
  useEffect(() => {
    if (title !== null) document.title = `${title} · OberaConnect`;
  }, [title]);
}
