import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { cx } from "./cx";

export type Tone = "ok" | "warn" | "bad" | "wait" | "info" | "mute" | "accent";

export const toneSoft: Record<Tone, string> = {
  ok: "bg-ok-soft text-ok",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  wait: "bg-wait-soft text-wait",
  info: "bg-info-soft text-info",
  mute: "bg-mute-soft text-ink-2",
  accent: "bg-accent-soft text-accent",
};
export const toneText: Record<Tone, string> = {
  ok: "text-ok",
  warn: "text-warn",
  bad: "text-bad",
  wait: "text-wait",
  info: "text-info",
  mute: "text-ink-3",
  accent: "text-accent",
};
export const toneFill: Record<Tone, string> = {
  ok: "bg-ok",
  warn: "bg-warn",
  bad: "bg-bad",
  wait: "bg-wait",
  info: "bg-info",
  mute: "bg-ink-3",
  accent: "bg-accent",
};

interface BadgeProps {
  tone?: Tone;
  icon?: LucideIcon;
  /** The state is being worked on right now. */
  spin?: boolean;
  title?: string | undefined;
  children: ReactNode;
}

export function Badge({ tone = "mute", icon: Icon, spin = false, title, children }: BadgeProps) {
  return (
    <span
      title={title}
      className={cx("inline-flex h-5 max-w-full items-center gap-1 rounded-sm px-1.5 text-sm font-medium whitespace-nowrap", toneSoft[tone])}
    >
      {Icon ? <Icon aria-hidden strokeWidth={2.2} className={cx("size-3 shrink-0", spin && "spin")} /> : null}
      <span className="truncate">{children}</span>
    </span>
  );
}
