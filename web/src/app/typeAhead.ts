// While the palette's code is on its way, what is typed is kept for it: Ctrl-K and a device name, without waiting.
const KEPT_MS_MAX = 5_000;

let typed = "";
let giveUp: ReturnType<typeof setTimeout> | undefined;

function keep(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Backspace") typed = typed.slice(0, -1);
  else if (event.key.length === 1) typed += event.key;
  else return;
  event.preventDefault();
  event.stopPropagation();
}

export function startTypeAhead(): void {
  stopTypeAhead();
  document.addEventListener("keydown", keep, { capture: true });
  giveUp = setTimeout(stopTypeAhead, KEPT_MS_MAX);
}

/** Ends the keeping and hands over what was typed since. */
export function stopTypeAhead(): string {
  clearTimeout(giveUp);
  document.removeEventListener("keydown", keep, { capture: true });
  const text = typed;
  typed = "";
  return text;
}
