import { useEffect, useRef } from "react";
import { useNavigate } from "react-router";
import { useCan } from "@/kit/permissions";
import { useScope } from "@/kit/scope";
import { navigationFor } from "./navigation";

const SEQUENCE_MS = 1_200;

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Ctrl-K (or Cmd-K) opens the palette; "g" and a letter goes to a page. */
export function useShortcuts(openPalette: () => void): void {
  const navigate = useNavigate();
  const { can, isProvider } = useCan();
  const { to } = useScope();
  const startedAt = useRef(0);
  // Follows the keyboard of the document.
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        openPalette();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (event.key === "g") {
        startedAt.current = event.timeStamp;
        return;
      }
      if (event.timeStamp - startedAt.current > SEQUENCE_MS) return;
      startedAt.current = 0;
      const entry = navigationFor(can, isProvider)
        .flatMap((group) => group.entries)
        .find((each) => each.key === event.key);
      if (entry) {
        event.preventDefault();
        void navigate(to(entry.to));
      }
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [openPalette, navigate, can, isProvider, to]);
}
