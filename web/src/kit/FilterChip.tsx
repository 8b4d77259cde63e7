import { Plus, X } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { cx } from "@/ui/cx";
import type { ListFilter } from "./resource";

const FilterMenu = lazy(() => import("./FilterMenu"));

interface FilterChipProps {
  filter: ListFilter;
  values: readonly string[];
  onChange: (values: readonly string[]) => void;
}

/** A filter as a chip: dashed while unused, filled with its values while it narrows the list. */
export function FilterChip({ filter, values, onChange }: FilterChipProps) {
  const [armed, setArmed] = useState(false);
  const active = values.length > 0;
  const chosen = filter.options.filter((option) => values.includes(option.value)).map((option) => option.label);
  const toggle = (value: string) => {
    if (filter.single) onChange(values.includes(value) ? [] : [value]);
    else onChange(values.includes(value) ? values.filter((each) => each !== value) : [...values, value]);
  };
  const button = (
    <button
      type="button"
      {...(armed ? {} : { "aria-haspopup": "dialog" as const, "aria-expanded": false, onClick: () => setArmed(true) })}
      className={cx("inline-flex max-w-64 items-center gap-1.5 rounded-md px-2", !active && "hover:bg-hover hover:text-ink")}
    >
      {active ? null : <Plus aria-hidden className="size-3.5" />}
      <span className="truncate">{active ? `${filter.label}: ${chosen.join(", ")}` : filter.label}</span>
    </button>
  );
  return (
    <span
      className={cx(
        "inline-flex h-7 items-stretch rounded-md border max-md:h-9",
        active ? "border-accent/45 bg-accent-soft font-medium text-accent" : "border-dashed border-line-strong text-ink-2",
      )}
    >
      {armed ? (
        <Suspense fallback={button}>
          <FilterMenu filter={filter} values={values} onToggle={toggle}>
            {button}
          </FilterMenu>
        </Suspense>
      ) : (
        button
      )}
      {active ? (
        <button type="button" aria-label={`Remove filter ${filter.label}`} onClick={() => onChange([])} className="rounded-md pr-2 pl-0.5 hover:text-ink">
          <X aria-hidden className="size-3.5" />
        </button>
      ) : null}
    </span>
  );
}
