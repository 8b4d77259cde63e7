import type { LucideIcon } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import type { ReactNode } from "react";
import { cx } from "./cx";

/** Menu content in the product's look, in place, so that it stays inside its landmark; the trigger is given by the caller. Loaded lazily: it brings the positioning code. */
export function Menu({
  trigger,
  children,
  align = "end",
  defaultOpen = false,
}: {
  trigger: ReactNode;
  children: ReactNode;
  align?: "start" | "end";
  defaultOpen?: boolean;
}) {
  return (
    <DropdownMenu.Root defaultOpen={defaultOpen} modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Content
        align={align}
        sideOffset={6}
        collisionPadding={8}
        className="enter z-40 max-h-[min(70dvh,28rem)] min-w-52 overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-2 focus:outline-none"
      >
        {children}
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}

interface MenuItemProps {
  icon?: LucideIcon;
  onSelect: () => void;
  danger?: boolean;
  checked?: boolean;
  aside?: ReactNode;
  children: ReactNode;
}

export function MenuItem({ icon: Icon, onSelect, danger = false, checked, aside, children }: MenuItemProps) {
  const className = cx(
    "flex min-h-8 cursor-default items-center gap-2 rounded-sm px-2 outline-none select-none data-[highlighted]:bg-hover",
    danger ? "text-bad" : "text-ink",
  );
  const content = (
    <>
      {Icon ? <Icon aria-hidden className={cx("size-3.5", danger ? "text-bad" : "text-ink-3")} /> : null}
      <span className="min-w-0 truncate">{children}</span>
      {aside === undefined ? null : <span className="ml-auto pl-4 text-sm text-ink-3">{aside}</span>}
    </>
  );
  if (checked !== undefined) {
    return (
      <DropdownMenu.CheckboxItem checked={checked} onSelect={onSelect} className={cx(className, checked && "font-semibold text-accent")}>
        {content}
      </DropdownMenu.CheckboxItem>
    );
  }
  return (
    <DropdownMenu.Item onSelect={onSelect} className={className}>
      {content}
    </DropdownMenu.Item>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <DropdownMenu.Label className="px-2 pt-2 pb-1 text-xs font-semibold text-ink-3">{children}</DropdownMenu.Label>;
}

export function MenuSeparator() {
  return <DropdownMenu.Separator className="my-1 h-px bg-line" />;
}
