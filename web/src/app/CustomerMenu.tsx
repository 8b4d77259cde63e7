import { Command } from "cmdk";
import { Building2, Check, ChevronDown } from "lucide-react";
import { Popover } from "radix-ui";
import { useState } from "react";
import { useRows } from "@/api/queries";
import { useScope } from "@/kit/scope";

export const CUSTOMERS_MAX = 1_000;

export default function CustomerMenu({ defaultOpen, label }: { defaultOpen: boolean; label: string }) {
  const scope = useScope();
  const [open, setOpen] = useState(defaultOpen);
  const { rows, isPending } = useRows("customer_list", { columns: "id,name,code", order: [{ column: "name" }], limit: CUSTOMERS_MAX });
  const choose = (id: string | null) => {
    setOpen(false);
    scope.set(id);
  };
  const item = "flex min-h-8 items-center gap-2 rounded-sm px-2 data-[selected=true]:bg-hover cursor-default max-md:min-h-11";
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <button type="button" className="inline-flex h-8 max-w-56 min-w-0 items-center gap-2 rounded-md border border-line-strong bg-raised px-2.5 shadow-1 hover:bg-hover max-md:h-9">
          <span className="truncate">{label}</span>
          <ChevronDown aria-hidden className="size-3.5 shrink-0 text-ink-3" />
        </button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content align="start" sideOffset={6} collisionPadding={8} aria-label="Choose a customer" className="enter z-40 w-72 rounded-lg border border-line bg-raised shadow-2 focus:outline-none">
          <Command label="Customers">
            <Command.Input placeholder="Find a customer" className="h-10 w-full border-b border-line bg-transparent px-3 outline-none max-md:text-[16px]" />
            <Command.List className="max-h-80 overflow-y-auto p-1">
              <Command.Empty className="px-2 py-4 text-center text-ink-2">{isPending ? "Reading…" : "No customer fits."}</Command.Empty>
              <Command.Item value="All customers" onSelect={() => choose(null)} className={item}>
                <Building2 aria-hidden className="size-3.5 text-ink-3" /> All customers
                {scope.customerId === null ? <Check aria-hidden className="ml-auto size-3.5 text-accent" /> : null}
              </Command.Item>
              {rows.map((customer) => (
                <Command.Item key={customer.id} value={`${customer.name} ${customer.code}`} onSelect={() => choose(customer.id)} className={item}>
                  <span className="w-10 shrink-0 font-mono text-xs text-ink-3">{customer.code}</span>
                  <span className="truncate">{customer.name}</span>
                  {scope.customerId === customer.id ? <Check aria-hidden className="ml-auto size-3.5 shrink-0 text-accent" /> : null}
                </Command.Item>
              ))}
            </Command.List>
          </Command>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
