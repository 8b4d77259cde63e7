import { Command } from "cmdk";
import { Building2, LifeBuoy, Monitor, MonitorSmartphone, Moon, Search, Sun, type LucideIcon } from "lucide-react";
import { Dialog } from "radix-ui";
import { useDeferredValue, useState } from "react";
import { useNavigate } from "react-router";
import { useRows } from "@/api/queries";
import type { Finder, Where } from "@/api/where";
import { paths } from "@/kit/paths";
import { useCan } from "@/kit/permissions";
import { useScope } from "@/kit/scope";
import { Kbd } from "@/ui/Kbd";
import { navigationFor } from "./navigation";
import { chooseTheme } from "./theme";
import { stopTypeAhead } from "./typeAhead";

const HITS_MAX = 6;
const SEARCH_MIN_CHARS = 2;

/** Pages, commands, customers, devices and tickets from one box. */
export default function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  const asked = useDeferredValue(text.trim());
  const navigate = useNavigate();
  const scope = useScope();
  const { can, isProvider } = useCan();
  const searching = asked.length >= SEARCH_MIN_CHARS;
  const match = (columns: string[], by?: Finder): Where[] => [{ columns, op: "search", text: asked, by }];

  const customers = useRows("customer_list", {
    enabled: searching && can("customers:read") && isProvider,
    columns: "id,name,code", where: match(["name", "code"]), order: [{ column: "name" }], limit: HITS_MAX, every: false,
  });
  const devices = useRows("device_list", {
    enabled: searching && can("devices:read"),
    columns: "id,customer_id,name,customer_name", where: [...scope.where, ...match(["name", "serial_number", "last_user"], "search_devices")], order: [{ column: "name" }], limit: HITS_MAX, every: false,
  });
  const tickets = useRows("ticket_list", {
    enabled: searching && can("tickets:read"),
    columns: "id,customer_id,reference,subject,customer_name", where: [...scope.where, ...match(["subject", "reference"], "search_tickets")], order: [{ column: "opened_at", descending: true }], limit: HITS_MAX, every: false,
  });

  const go = (path: string) => {
    onClose();
    void navigate(path);
  };
  const theme = (choice: "light" | "dark" | "system") => () => {
    chooseTheme(choice);
    onClose();
  };
  const busy = searching && (customers.isPending || devices.isPending || tickets.isPending);
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-overlay" />
        <Dialog.Content
          aria-describedby={undefined}
          onOpenAutoFocus={() => setText(stopTypeAhead())}
          className="enter fixed inset-x-2 top-2 z-50 mx-auto max-w-xl overflow-hidden rounded-xl border border-line bg-raised shadow-2 focus:outline-none sm:top-[14vh]"
        >
          <Dialog.Title className="sr-only">Search or run a command</Dialog.Title>
          <Command label="Search or run a command" loop>
            <div className="flex items-center gap-2.5 border-b border-line px-4">
              <Search aria-hidden className="size-4 text-ink-3" />
              <Command.Input value={text} onValueChange={setText} placeholder="Device, customer, ticket, page or command" className="h-12 min-w-0 flex-1 bg-transparent text-[15px] outline-none max-md:text-[16px]" />
              <Kbd>Esc</Kbd>
            </div>
            <Command.List className="max-h-[min(60dvh,26rem)] overflow-y-auto p-1.5">
              <Command.Empty className="px-3 py-8 text-center text-ink-2">{busy ? "Searching…" : "Nothing fits. Try a device name, a serial number or a ticket number."}</Command.Empty>
              <Group heading="Go to">
                {navigationFor(can, isProvider).flatMap((group) => group.entries).map((entry) => (
                  <Item key={entry.to} icon={entry.icon} value={`go ${entry.label}`} onSelect={() => go(scope.to(entry.to))} aside={<Kbd>{`g ${entry.key}`}</Kbd>}>
                    {entry.label}
                  </Item>
                ))}
              </Group>
              {can("tickets:write") ? (
                <Group heading="Commands">
                  <Item icon={LifeBuoy} value="new ticket open" onSelect={() => go(scope.to("/tickets", { new: "1" }))}>
                    New ticket
                  </Item>
                  <Item icon={Sun} value="theme light" onSelect={theme("light")}>Light theme</Item>
                  <Item icon={Moon} value="theme dark" onSelect={theme("dark")}>Dark theme</Item>
                  <Item icon={Monitor} value="theme system" onSelect={theme("system")}>Theme as the system</Item>
                </Group>
              ) : null}
              {searching && devices.rows.length > 0 ? (
                <Group heading="Devices">
                  {devices.rows.map((row) => (
                    <Item key={row.id} icon={MonitorSmartphone} value={`${asked} device ${row.id}`} onSelect={() => go(scope.to(paths.device(row.customer_id, row.id)))} aside={row.customer_name}>
                      {row.name}
                    </Item>
                  ))}
                </Group>
              ) : null}
              {searching && customers.rows.length > 0 ? (
                <Group heading="Customers">
                  {customers.rows.map((row) => (
                    <Item key={row.id} icon={Building2} value={`${asked} customer ${row.id}`} onSelect={() => go(paths.customer(row.id))} aside={row.code}>
                      {row.name}
                    </Item>
                  ))}
                </Group>
              ) : null}
              {searching && tickets.rows.length > 0 ? (
                <Group heading="Tickets">
                  {tickets.rows.map((row) => (
                    <Item key={row.id} icon={LifeBuoy} value={`${asked} ticket ${row.id}`} onSelect={() => go(scope.to(paths.ticket(row.customer_id, row.id)))} aside={row.customer_name}>
                      {row.reference} {row.subject}
                    </Item>
                  ))}
                </Group>
              ) : null}
            </Command.List>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Group({ heading, children }: { heading: string; children: React.ReactNode }) {
  return (
    <Command.Group heading={heading} className="[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:font-semibold [&_[cmdk-group-heading]]:text-ink-3">
      {children}
    </Command.Group>
  );
}

function Item({ icon: Icon, value, onSelect, aside, children }: { icon: LucideIcon; value: string; onSelect: () => void; aside?: React.ReactNode; children: React.ReactNode }) {
  return (
    <Command.Item value={value} onSelect={onSelect} className="flex min-h-9 cursor-default items-center gap-2.5 rounded-md px-2.5 data-[selected=true]:bg-accent-soft data-[selected=true]:text-accent max-md:min-h-11">
      <Icon aria-hidden className="size-4 shrink-0 text-ink-3" strokeWidth={1.9} />
      <span className="min-w-0 truncate">{children}</span>
      {aside === undefined ? null : <span className="ml-auto shrink-0 pl-3 text-sm text-ink-3">{aside}</span>}
    </Command.Item>
  );
}
