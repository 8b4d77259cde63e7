import {
  Bell, Braces, Building2, Calculator, CalendarCheck, CalendarClock, CirclePlay, Cloud, FileSearch, FileText, FolderTree, Computer, History, KeyRound, LayoutDashboard, LifeBuoy, Link2, ListChecks, LogIn, MonitorSmartphone, Network, Package, Percent, Plug, ReceiptText, Scale, ScanEye, ShieldAlert, ShieldCheck, ShieldEllipsis, ShieldX, Siren, UsersRound, Waypoints, type LucideIcon,
} from "lucide-react";
import type { Figures } from "./useFigures";

export interface NavEntry {
  to: string;
  label: string;
  icon: LucideIcon;
  /** Shown only to people who hold it; the API refuses the others anyway. */
  permission: string | null;
  /** Second key after "g". */
  key: string;
  figure?: keyof Figures;
  /** A number above zero asks for attention. */
  hot?: boolean;
  /** Left out of the portal's short navigation. */
  providerOnly?: boolean;
}
export interface NavGroup {
  label: string | null;
  entries: readonly NavEntry[];
}

export const navigation: readonly NavGroup[] = [
  { label: null, entries: [{ to: "/", label: "Overview", icon: LayoutDashboard, permission: null, key: "o" }] },
  { label: "Service desk", entries: [{ to: "/tickets", label: "Tickets", icon: LifeBuoy, permission: "tickets:read", key: "t", figure: "tickets" }] },
  {
    label: "Monitoring",
    entries: [
      { to: "/incidents", label: "Incidents", icon: Siren, permission: "incidents:read", key: "i", figure: "incidents", hot: true },
      { to: "/alerts", label: "Alerts", icon: Bell, permission: "alerts:read", key: "a", figure: "alerts", providerOnly: true },
    ],
  },
  {
    label: "Estate",
    entries: [
      { to: "/customers", label: "Customers", icon: Building2, permission: "customers:read", key: "c", providerOnly: true },
      { to: "/devices", label: "Devices", icon: MonitorSmartphone, permission: "devices:read", key: "d", figure: "devices" },
      { to: "/endpoints", label: "Endpoints", icon: Computer, permission: "devices:read", key: "q", figure: "decisions", providerOnly: true },
      { to: "/configuration", label: "Configuration", icon: Network, permission: "configuration:read", key: "0", providerOnly: true },
      { to: "/software", label: "Software", icon: Package, permission: "devices:read", key: "5", providerOnly: true },
      { to: "/people", label: "People", icon: UsersRound, permission: "people:read", key: "w" },
      { to: "/licenses", label: "Licenses", icon: KeyRound, permission: "people:read", key: "k", providerOnly: true },
      { to: "/tenants", label: "Tenants", icon: Cloud, permission: "people:read", key: "v", providerOnly: true },
      { to: "/cipp-tenants", label: "CIPP tenants", icon: ListChecks, permission: "people:read", key: "j", providerOnly: true },
    ],
  },
  {
    label: "Knowledge",
    entries: [
      { to: "/documents", label: "Documents", icon: FileSearch, permission: "documents:read", key: "2", providerOnly: true },
      { to: "/document-sites", label: "Sites", icon: FolderTree, permission: "documents:read", key: "3", providerOnly: true },
      { to: "/sharing-links", label: "Sharing links", icon: Link2, permission: "documents:read", key: "4", providerOnly: true },
    ],
  },
  {
    label: "Automation",
    entries: [
      { to: "/runs", label: "Runs", icon: CirclePlay, permission: "runs:read", key: "r" },
      { to: "/approvals", label: "Approvals", icon: ShieldCheck, permission: "approvals:read", key: "p", figure: "approvals", hot: true },
    ],
  },
  {
    label: "Money",
    entries: [
      { to: "/differences", label: "Differences", icon: Scale, permission: "billing:read", key: "m", providerOnly: true },
      { to: "/bills", label: "Bills", icon: FileText, permission: "billing:read", key: "9" },
      { to: "/billing-lines", label: "Billed lines", icon: ReceiptText, permission: "billing:read", key: "b", providerOnly: true },
      { to: "/margins", label: "Margins", icon: Percent, permission: "billing:read", key: "y", providerOnly: true },
      { to: "/month-closes", label: "Month close", icon: CalendarCheck, permission: "billing:read", key: "h", providerOnly: true },
      { to: "/count-rules", label: "Count rules", icon: Calculator, permission: "billing:read", key: "u", providerOnly: true },
    ],
  },
  {
    label: "Security",
    entries: [
      { to: "/mfa", label: "MFA gaps", icon: ShieldX, permission: "people:read", key: "f", providerOnly: true },
      { to: "/posture", label: "Posture", icon: ShieldEllipsis, permission: "people:read", key: "6", providerOnly: true },
      { to: "/sign-ins", label: "Sign-ins", icon: LogIn, permission: "people:read", key: "7", providerOnly: true },
      { to: "/directory-changes", label: "Directory changes", icon: History, permission: "people:read", key: "8", providerOnly: true },
      { to: "/drift", label: "Drift", icon: Waypoints, permission: "drift:read", key: "1", providerOnly: true },
      { to: "/baselines", label: "Baselines", icon: ListChecks, permission: "drift:read", key: "z", providerOnly: true },
      { to: "/security", label: "Security alerts", icon: ShieldAlert, permission: "security:read", key: "s", providerOnly: true },
      { to: "/access", label: "Access log", icon: ScanEye, permission: "audit:read", key: "l", providerOnly: true },
    ],
  },
  {
    label: "Platform",
    entries: [
      { to: "/integrations", label: "Integrations", icon: Plug, permission: "integrations:read", key: "n", providerOnly: true },
      { to: "/expiries", label: "Expiry calendar", icon: CalendarClock, permission: "integrations:read", key: "x", providerOnly: true },
      { to: "/api", label: "API explorer", icon: Braces, permission: "integrations:read", key: "e", providerOnly: true },
    ],
  },
];

/** What this person's navigation shows. Empty groups go; the portal's few entries stand without group names. */
export function navigationFor(can: (permission: string) => boolean, isProvider: boolean): NavGroup[] {
  const groups = navigation
    .map((group) => ({
      ...group,
      entries: group.entries.filter((entry) => (entry.permission === null || can(entry.permission)) && (isProvider || !entry.providerOnly)),
    }))
    .filter((group) => group.entries.length > 0);
  return isProvider ? groups : [{ label: null, entries: groups.flatMap((group) => group.entries) }];
}
