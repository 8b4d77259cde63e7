import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { IconButton } from "./Button";
import { cx } from "./cx";

interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  /** What will happen, before it happens. */
  description?: ReactNode;
  children?: ReactNode;
  footer?: ReactNode;
  wide?: boolean;
}

const overlay = "fixed inset-0 z-40 bg-overlay";

export function Dialog({ open, onOpenChange, title, description, children, footer, wide = false }: DialogProps) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={overlay} />
        <div className="pointer-events-none fixed inset-0 z-50 grid place-items-end p-0 sm:place-items-center sm:p-6">
          <Radix.Content
            {...(description === undefined ? { "aria-describedby": undefined } : {})}
            className={cx(
              "enter pointer-events-auto grid max-h-[92dvh] w-full grid-rows-[auto_1fr_auto] rounded-t-xl border border-line bg-raised shadow-2 focus:outline-none sm:rounded-xl",
              wide ? "sm:max-w-2xl" : "sm:max-w-lg",
            )}
          >
            <div className="flex items-start gap-3 px-5 pt-4 pb-2">
              <div className="min-w-0 flex-1">
                <Radix.Title className="text-lg font-bold text-balance">{title}</Radix.Title>
                {description === undefined ? null : (
                  <Radix.Description asChild>
                    <div className="mt-0.5 text-ink-2">{description}</div>
                  </Radix.Description>
                )}
              </div>
              <Radix.Close asChild>
                <IconButton label="Close" className="-mt-1 -mr-2">
                  <X aria-hidden className="size-4" />
                </IconButton>
              </Radix.Close>
            </div>
            <div className="min-h-0 overflow-y-auto px-5 py-2">{children}</div>
            {footer === undefined ? <div className="h-3" /> : (
              <div className="flex flex-wrap justify-end gap-2 border-t border-line px-5 py-3">{footer}</div>
            )}
          </Radix.Content>
        </div>
      </Radix.Portal>
    </Radix.Root>
  );
}

interface SheetProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  side: "left" | "right";
  title: string;
  children: ReactNode;
  showTitle?: boolean;
}

export function Sheet({ open, onOpenChange, side, title, children, showTitle = false }: SheetProps) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={overlay} />
        <Radix.Content
          aria-describedby={undefined}
          className={cx(
            "fixed inset-y-0 z-50 flex w-[min(400px,88vw)] flex-col bg-surface shadow-2 focus:outline-none",
            side === "left" ? "enter-left left-0 border-r border-line" : "enter-right right-0 border-l border-line",
          )}
        >
          {showTitle ? (
            <div className="flex h-13 shrink-0 items-center border-b border-line px-4">
              <Radix.Title className="text-lg font-bold">{title}</Radix.Title>
              <Radix.Close asChild>
                <IconButton label="Close" className="-mr-2 ml-auto">
                  <X aria-hidden className="size-4" />
                </IconButton>
              </Radix.Close>
            </div>
          ) : (
            <Radix.Title className="sr-only">{title}</Radix.Title>
          )}
          <div className="flex min-h-0 flex-1 flex-col overflow-y-auto overscroll-contain">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
