import { startTransition, useEffect, useState } from "react";

/** What is shown at once, and what each frame adds: a phone draws so many rows without a stutter. */
const FIRST_ROWS = 8;
const ROWS_PER_FRAME = 6;

/** How many of the rows to show now: the first ones at once, the others frame by frame. A list that grew once stays whole. */
export function useGradually(rows: number): number {
  const [limit, setLimit] = useState(FIRST_ROWS);
  // Follows the browser's frames.
  useEffect(() => {
    if (limit >= rows) return;
    const frame = requestAnimationFrame(() => startTransition(() => setLimit((current) => current + ROWS_PER_FRAME)));
    return () => cancelAnimationFrame(frame);
  }, [limit, rows]);
  return Math.min(limit, rows);
}
