import { Popover } from "radix-ui";
import type { ReactElement } from "react";
import type { ListFilter } from "./resource";

interface FilterMenuProps {
  filter: ListFilter;
  values: readonly string[];
  onToggle: (value: string) => void;
  children: ReactElement;
}

/** The values of a filter, below the button that opens them; loaded when a filter is first used, and then open. */
export default function FilterMenu({ filter, values, onToggle, children }: FilterMenuProps) {
  return (
    <Popover.Root defaultOpen>
      <Popover.Trigger asChild>{children}</Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="start"
          sideOffset={6}
          collisionPadding={8}
          aria-label={`Filter by ${filter.label.toLowerCase()}`}
          className="enter z-40 max-h-80 min-w-52 overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-2 focus:outline-none"
        >
          {filter.options.map((option) => {
            const Icon = option.status?.icon;
            return (
              <label key={option.value} className="flex min-h-8 cursor-pointer items-center gap-2 rounded-sm px-2 hover:bg-hover has-focus-visible:bg-hover">
                <input
                  type={filter.single ? "radio" : "checkbox"}
                  name={filter.id}
                  className="size-3.5 accent-accent"
                  checked={values.includes(option.value)}
                  onChange={() => onToggle(option.value)}
                />
                {Icon ? <Icon aria-hidden className="size-3.5 text-ink-3" /> : null}
                {option.label}
              </label>
            );
          })}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
