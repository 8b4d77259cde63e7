import { LoaderCircle } from "lucide-react";
import { useId, type ComponentProps, type ReactNode } from "react";
import { Link } from "react-router";
import { cx } from "./cx";

export type ButtonVariant = "primary" | "default" | "danger" | "ghost";
export type ButtonSize = "sm" | "md";

const base =
  "relative inline-flex items-center justify-center gap-1.5 rounded-md border font-medium whitespace-nowrap select-none transition-colors duration-100 max-md:min-h-9";
const sizes: Record<ButtonSize, string> = { sm: "h-7 px-2 text-sm", md: "h-8 px-2.5" };
const variants: Record<ButtonVariant, string> = {
  primary: "border-accent bg-accent text-accent-ink shadow-1 hover:border-accent-hover hover:bg-accent-hover",
  default: "border-line-strong bg-raised text-ink shadow-1 hover:bg-hover",
  danger: "border-line-strong bg-raised text-bad shadow-1 hover:border-bad hover:bg-bad-soft",
  ghost: "border-transparent bg-transparent text-ink-2 hover:bg-hover hover:text-ink",
};
const off = "opacity-55 hover:!bg-raised hover:!border-line-strong hover:!text-inherit !text-ink-2 !bg-raised !border-line-strong !shadow-none";

export function buttonClass(variant: ButtonVariant = "default", size: ButtonSize = "md"): string {
  return cx(base, sizes[size], variants[variant]);
}

interface ButtonProps extends Omit<ComponentProps<"button">, "disabled"> {
  variant?: ButtonVariant;
  size?: ButtonSize;
  icon?: ReactNode;
  /** Work is going on: the button keeps its width and takes no click. */
  busy?: boolean;
  /** Why it cannot be used now. The button stays, focusable, and says it. */
  reason?: string | null | undefined;
}

export function Button({ variant = "default", size = "md", icon, busy = false, reason, className, children, onClick, ...rest }: ButtonProps) {
  const reasonId = useId();
  const blocked = busy || Boolean(reason);
  const button = (
    <button
      type="button"
      {...rest}
      aria-disabled={blocked || undefined}
      aria-busy={busy || undefined}
      aria-describedby={reason ? reasonId : rest["aria-describedby"]}
      onClick={(event) => {
        if (blocked) {
          event.preventDefault();
          return;
        }
        onClick?.(event);
      }}
      className={cx(buttonClass(variant, size), reason && off, busy && "pointer-events-none", className)}
    >
      {busy ? <LoaderCircle aria-hidden className="spin size-3.5" /> : icon}
      {children}
    </button>
  );
  if (!reason) return button;
  return (
    <span className="group/reason relative inline-flex">
      {button}
      <span
        id={reasonId}
        role="tooltip"
        className="pointer-events-none invisible absolute top-full right-0 z-20 mt-1.5 w-max max-w-60 rounded-md border border-line bg-raised px-2.5 py-1.5 text-sm text-ink opacity-0 shadow-2 transition-opacity group-focus-within/reason:visible group-focus-within/reason:opacity-100 group-hover/reason:visible group-hover/reason:opacity-100"
      >
        {reason}
      </span>
    </span>
  );
}

interface IconButtonProps extends ComponentProps<"button"> {
  /** Spoken name; also the tooltip. */
  label: string;
}

export function IconButton({ label, className, children, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={cx(
        "inline-grid size-8 shrink-0 place-items-center rounded-md text-ink-2 transition-colors hover:bg-hover hover:text-ink max-md:size-9",
        className,
      )}
    >
      {children}
    </button>
  );
}

interface ButtonLinkProps extends ComponentProps<typeof Link> {
  variant?: ButtonVariant;
  size?: ButtonSize;
  icon?: ReactNode;
}

export function ButtonLink({ variant = "default", size = "md", icon, className, children, ...rest }: ButtonLinkProps) {
  return (
    <Link {...rest} className={cx(buttonClass(variant, size), className)}>
      {icon}
      {children}
    </Link>
  );
}
