export function Kbd({ children }: { children: string }) {
  return (
    <kbd className="rounded-xs border border-line bg-surface px-1.5 font-sans text-xs leading-4 text-ink-3 whitespace-nowrap">{children}</kbd>
  );
}
