import { Plus, X } from "lucide-react";
import { Popover } from "radix-ui";
import { cx } from "@/ui/cx";
import type { ListFilter } from "./resource";

interface FilterChipProps {
  filter: ListFilter;
  values: readonly string[];
  onChange: (values: readonly string[]) => void;
}

/** A filter as a chip: dashed while unused, filled with its values while it narrows the list. */
export function FilterChip({ filter, values, onChange }: FilterChipProps) {
  const active = values.length > 0;
  const chosen = filter.options.filter((option) => values.includes(option.value)).map((option) => option.label);
  const toggle = (value: string) => {
    if (filter.single) onChange(values.includes(value) ? [] : [value]);
    else onChange(values.includes(value) ? values.filter((each) => each !== value) : [...values, value]);
  };
  return (
    <span
      className={cx(
        "inline-flex h-7 items-stretch rounded-md border max-md:h-9",
        active ? "border-accent/45 bg-accent-soft font-medium text-accent" : "border-dashed border-line-strong text-ink-2",
      )}
    >
      <Popover.Root>
        <Popover.Trigger asChild>
          <button type="button" className={cx("inline-flex max-w-64 items-center gap-1.5 rounded-md px-2", !active && "hover:bg-hover hover:text-ink")}>
            {active ? null : <Plus aria-hidden className="size-3.5" />}
            <span className="truncate">{active ? `${filter.label}: ${chosen.join(", ")}` : filter.label}</span>
          </button>
        </Popover.Trigger>
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
                    onChange={() => toggle(option.value)}
                  />
                  {Icon ? <Icon aria-hidden className="size-3.5 text-ink-3" /> : null}
                  {option.label}
                </label>
              );
            })}
          </Popover.Content>
        </Popover.Portal>
      </Popover.Root>
      {active ? (
        <button type="button" aria-label={`Remove filter ${filter.label}`} onClick={() => onChange([])} className="rounded-md pr-2 pl-0.5 hover:text-ink">
          <X aria-hidden className="size-3.5" />
        </button>
      ) : null}
    </span>
  );
}
