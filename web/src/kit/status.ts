import {
  BadgeCheck, Ban, BellOff, Check, CircleCheck, CircleDashed, CircleDot, CircleHelp, CirclePause, CircleX, Clock, Construction, Eye, Flag, Hourglass, Info,
  LoaderCircle, MonitorCheck, ShieldAlert, ShieldCheck, ShieldMinus, ShieldQuestionMark, ShieldX, Split, Tags, TimerOff, TrendingDown, TrendingUp, TriangleAlert, Undo2, UserRound, Wrench, X, type LucideIcon,
} from "lucide-react";
import type {
  AlertState, ApprovalState, BackupState, BillingTicketState, CauseKind, ChangeOutcome, ChangeState, ConflictKind, CoverageState, DeviceClass, DifferenceDirection, DifferenceState, EndpointCoverage, DriftSeverity, DriftState, DriftTenantState, ExpiryState, GuardState, IncidentState, LinkConfidence, LayerKind, MaintenanceState, MfaOutcome, MuteOutcome, PatchStanding, PaymentState, PostureOutcome, PostureTenantState, ReadSource, RunState, SeatBasis, SecurityAlertKind, SecurityAlertState, SecuritySeverity, Severity, SignInOutcome, SiteReads, SlaState, StepState, SyncState, TicketPriority, TenantPartState, TextState, TicketState,
} from "@/api/rows";
import type { CheckFinding } from "@/api/connections";
import type { Tone } from "@/ui/Badge";

export interface Status {
  label: string;
  tone: Tone;
  icon: LucideIcon;
  spin?: boolean;
  /** One sentence, for the tooltip. */
  says?: string;
}
export type Vocabulary<Value extends string> = Readonly<Record<Value, Status>>;

// The one vocabulary of the product. The same word has the same color and the same icon on every screen.
const verified: Status = { label: "Verified", tone: "ok", icon: BadgeCheck, says: "The effect was read back from the changed system." };
const unverified: Status = { label: "Unverified", tone: "warn", icon: TriangleAlert, says: "It was applied, but the read-back does not confirm it." };
const failed: Status = { label: "Failed", tone: "bad", icon: X };
const rejected: Status = { label: "Rejected", tone: "mute", icon: Ban, says: "Stopped by a person or a guard before anything was changed." };
const cancelled: Status = { label: "Canceled", tone: "mute", icon: Ban };
const running: Status = { label: "Running", tone: "info", icon: LoaderCircle, spin: true };
const queued: Status = { label: "Queued", tone: "mute", icon: CircleDashed };
const timedOut: Status = { label: "Timed out", tone: "bad", icon: TimerOff };
const ended: Status = { label: "Ended", tone: "mute", icon: Check, says: "Nothing outside was to change." };

export const runStates: Vocabulary<RunState> = {
  queued,
  running,
  waiting: { label: "Waiting", tone: "wait", icon: Clock, says: "A person or a time has to come first." },
  ended,
  verified,
  unverified,
  failed,
  rejected,
  cancelled,
  timed_out: timedOut,
};

export const stepStates: Vocabulary<StepState> = {
  pending: { label: "Not yet", tone: "mute", icon: CircleDashed },
  ready: { label: "Ready", tone: "mute", icon: CircleDot },
  running,
  waiting: { label: "Waiting", tone: "wait", icon: Clock },
  ended: { label: "Done", tone: "ok", icon: Check },
  skipped: { label: "Skipped", tone: "mute", icon: CirclePause },
  failed,
  rejected,
  cancelled,
  timed_out: timedOut,
};

export const changeStates: Vocabulary<ChangeState> = {
  planned: { label: "Planned", tone: "info", icon: CircleDot, says: "Nothing was changed yet." },
  waiting: { label: "Planned, waiting", tone: "wait", icon: Clock, says: "Nothing was changed yet." },
  applied: { label: "Applied, not read back yet", tone: "info", icon: LoaderCircle, spin: true },
  verified,
  unverified,
  failed,
  reverted: { label: "Reverted", tone: "mute", icon: Undo2 },
  unneeded: { label: "Nothing to do", tone: "mute", icon: Check, says: "The plan found nothing to change." },
  rejected,
  cancelled,
};

export const approvalStates: Vocabulary<ApprovalState> = {
  waiting: { label: "Waiting", tone: "wait", icon: Clock },
  approved: { label: "Approved", tone: "ok", icon: Check },
  rejected,
  expired: { label: "Expired", tone: "mute", icon: TimerOff },
  cancelled,
};

export const alertStates: Vocabulary<AlertState> = {
  open: { label: "Open", tone: "bad", icon: CircleDot },
  acknowledged: { label: "Acknowledged", tone: "info", icon: Eye },
  resolved: { label: "Resolved", tone: "ok", icon: CircleCheck },
};

export const incidentStates: Vocabulary<IncidentState> = {
  open: { label: "Open", tone: "bad", icon: CircleDot },
  remediating: { label: "Remediating", tone: "info", icon: Wrench },
  needs_attention: { label: "Needs attention", tone: "warn", icon: TriangleAlert },
  resolved: { label: "Resolved", tone: "ok", icon: CircleCheck },
};

export const paymentStates: Vocabulary<PaymentState> = {
  overdue: { label: "Overdue", tone: "bad", icon: TriangleAlert, says: "Something is left to pay, and the day is over." },
  open: { label: "Open", tone: "wait", icon: Clock, says: "Something is left to pay." },
  paid: { label: "Paid", tone: "ok", icon: CircleCheck },
  unknown: { label: "Not told", tone: "mute", icon: CircleHelp, says: "The billing system does not say what is left to pay." },
};

/** Of the billing system's own tickets: what it says decides, and its words are not public. */
export const billingTicketStates: Vocabulary<BillingTicketState> = {
  open: { label: "Open", tone: "wait", icon: Clock },
  unknown: { label: "Not told", tone: "mute", icon: CircleHelp, says: "The billing system does not say whether it is closed." },
  closed: { label: "Closed", tone: "mute", icon: Check },
};

export const maintenanceStates: Vocabulary<MaintenanceState> = {
  starting: { label: "Beginning", tone: "wait", icon: Clock, says: "Asked for; alerts page until NinjaOne's own reading shows it." },
  active: { label: "In maintenance", tone: "info", icon: Construction, says: "Proven by NinjaOne's own reading: alerts are recorded and page nobody." },
  ending: { label: "Ending", tone: "wait", icon: Clock },
  ended: { label: "Ended", tone: "mute", icon: Check },
  failed: { label: "Not verified", tone: "warn", icon: TriangleAlert, says: "It was never proven, and muted nothing." },
};

export const muteOutcomes: Vocabulary<MuteOutcome | "muted"> = {
  muted: { label: "Muted", tone: "mute", icon: BellOff, says: "Recorded; it pages nobody until the maintenance is over." },
  returned: { label: "Came back", tone: "warn", icon: Undo2, says: "It was still true at the end of the maintenance." },
  cleared: { label: "Cleared", tone: "ok", icon: CircleCheck, says: "Its cause was gone before the maintenance was over." },
  unmuted: { label: "Unmuted", tone: "info", icon: UserRound, says: "A person took it out of the maintenance." },
};

export const ticketStates: Vocabulary<TicketState> = {
  open: { label: "Open", tone: "bad", icon: CircleDot },
  assigned: { label: "Assigned", tone: "info", icon: UserRound },
  in_progress: { label: "In progress", tone: "info", icon: Wrench },
  waiting_on_customer: { label: "Waiting on customer", tone: "wait", icon: Hourglass },
  resolved: { label: "Resolved", tone: "ok", icon: CircleCheck },
  closed: { label: "Closed", tone: "mute", icon: Check },
};

export const priorities: Vocabulary<TicketPriority> = {
  p1: { label: "P1", tone: "bad", icon: Flag, says: "Work stands still." },
  p2: { label: "P2", tone: "warn", icon: Flag, says: "Work is hindered." },
  p3: { label: "P3", tone: "info", icon: Flag, says: "Normal." },
  p4: { label: "P4", tone: "mute", icon: Flag, says: "When there is time." },
};

export const slaStates: Vocabulary<SlaState> = {
  met: { label: "Met", tone: "ok", icon: Check },
  breached: { label: "Breached", tone: "bad", icon: TimerOff },
  running: { label: "Running", tone: "info", icon: Clock },
};

export const severities: Vocabulary<Severity> = {
  critical: { label: "Critical", tone: "bad", icon: ShieldAlert },
  major: { label: "Major", tone: "bad", icon: CircleX },
  moderate: { label: "Moderate", tone: "warn", icon: TriangleAlert },
  minor: { label: "Minor", tone: "info", icon: Info },
  info: { label: "Info", tone: "mute", icon: Info },
};

export const securityAlertStates: Vocabulary<SecurityAlertState> = {
  open: { label: "Open", tone: "bad", icon: CircleDot },
  acknowledged: { label: "Acknowledged", tone: "info", icon: Eye },
};

export const securitySeverities: Vocabulary<SecuritySeverity> = {
  p1: { label: "P1", tone: "bad", icon: ShieldAlert },
  p2: { label: "P2", tone: "warn", icon: TriangleAlert },
  p3: { label: "P3", tone: "info", icon: Info },
};

export const securityAlertKinds: Vocabulary<SecurityAlertKind> = {
  isolation_breach: { label: "Isolation broken", tone: "bad", icon: ShieldAlert, says: "A probe saw rows of another customer." },
  probe_failed: { label: "Probe could not look", tone: "warn", icon: TriangleAlert, says: "Nobody knows whether the isolation holds." },
  unusual_volume: { label: "Unusual volume", tone: "warn", icon: TriangleAlert, says: "Somebody read much more than they usually do." },
};

export const readSources: Vocabulary<ReadSource> = {
  rest: { label: "Data API", tone: "mute", icon: Info },
  csv: { label: "CSV", tone: "warn", icon: Info, says: "Rows left as a file." },
  export: { label: "Export", tone: "warn", icon: Info, says: "Evidence, or the audit log as a whole." },
  write: { label: "Answer of a write", tone: "mute", icon: Info },
  rpc: { label: "Function", tone: "mute", icon: Info },
  file: { label: "File", tone: "info", icon: Info },
  list: { label: "Names of files", tone: "mute", icon: Info },
  feed: { label: "Subscription", tone: "mute", icon: Info, says: "Counted when it begins." },
  not_itemized: { label: "Not itemized", tone: "warn", icon: TriangleAlert, says: "Too many different reads at once: counted, without what was read." },
};

export const syncStates: Vocabulary<SyncState> = {
  queued,
  running,
  complete: { label: "Complete", tone: "ok", icon: Check, says: "Everything was read." },
  partial: { label: "Partial", tone: "warn", icon: TriangleAlert, says: "Not everything was read. What was read is kept; nothing was removed." },
  suspect: { label: "Held back", tone: "warn", icon: ShieldAlert, says: "The answer looks wrong (far fewer rows than before). It is held: nothing was removed." },
  failed,
  cancelled,
};

export const differenceStates: Vocabulary<DifferenceState> = {
  open: { label: "Open", tone: "bad", icon: CircleDot },
  ignored: { label: "Ignored", tone: "mute", icon: CirclePause, says: "A person set it aside for a time. It comes back when the time is over or the numbers change." },
  changing: { label: "Changing", tone: "info", icon: Wrench, says: "A run corrects the line." },
  waiting_for_invoice: { label: "Waits for the bill", tone: "wait", icon: Hourglass, says: "The line is corrected and was read back. It closes when a bill carries the new quantity." },
  closed: { label: "Closed", tone: "ok", icon: CircleCheck },
};

export const directions: Vocabulary<DifferenceDirection> = {
  under: { label: "Billed too little", tone: "bad", icon: TrendingDown, says: "More is there than is billed: the provider loses money." },
  over: { label: "Billed too much", tone: "warn", icon: TrendingUp, says: "More is billed than is there: the customer pays too much." },
};

export const causes: Vocabulary<CauseKind> = {
  no_line: { label: "No line", tone: "bad", icon: Ban },
  disconnected_line: { label: "Line disconnected", tone: "bad", icon: CircleX },
  devices_added: { label: "Devices added", tone: "info", icon: CircleDot },
  seats_added: { label: "Seats added", tone: "info", icon: CircleDot },
  quantity_too_low: { label: "Quantity too low", tone: "info", icon: CircleDot },
  line_without_devices: { label: "Nothing behind it", tone: "warn", icon: CircleDashed },
  line_without_seats: { label: "Nobody behind it", tone: "warn", icon: CircleDashed },
  duplicate_lines: { label: "Line twice", tone: "warn", icon: Flag },
  devices_gone: { label: "Devices gone", tone: "warn", icon: CircleDashed },
  seats_gone: { label: "Seats taken away", tone: "warn", icon: CircleDashed },
  quantity_too_high: { label: "Quantity too high", tone: "warn", icon: CircleDot },
};

export const driftStates: Vocabulary<DriftState> = {
  open: { label: "Drift", tone: "bad", icon: CircleDot, says: "The tenant is not as demanded." },
  denied: { label: "Must go", tone: "bad", icon: Ban, says: "A person said that it is not accepted." },
  remediating: { label: "Remediating", tone: "info", icon: Wrench, says: "A run works on it." },
  accepted: { label: "Accepted", tone: "mute", icon: CirclePause, says: "A person accepted it for a time." },
  unknown: { label: "Unknown", tone: "warn", icon: CircleHelp, says: "Nothing complete and fresh is known: it counts neither as drift nor as in order." },
  closed: { label: "Closed", tone: "ok", icon: CircleCheck },
};

export const driftSeverities: Vocabulary<DriftSeverity> = {
  critical: { label: "Critical", tone: "bad", icon: ShieldAlert },
  high: { label: "High", tone: "bad", icon: Flag },
  medium: { label: "Medium", tone: "warn", icon: TriangleAlert },
  low: { label: "Low", tone: "info", icon: Info },
};

export const driftTenantStates: Vocabulary<DriftTenantState> = {
  in_order: { label: "In order", tone: "ok", icon: CircleCheck },
  drift: { label: "Drift", tone: "bad", icon: CircleDot },
  unknown: { label: "Unknown", tone: "warn", icon: CircleHelp, says: "Nothing drifts, but not everything is known." },
  silent: { label: "Not evaluated", tone: "bad", icon: TimerOff, says: "Nothing complete was read for too long: nobody knows how it stands." },
  waiting: { label: "Not yet evaluated", tone: "mute", icon: CircleDashed },
  excluded: { label: "Excluded", tone: "mute", icon: CirclePause, says: "CIPP leaves this tenant alone." },
  nothing_demanded: { label: "Nothing demanded", tone: "mute", icon: CircleDashed },
};

export const postureOutcomes: Vocabulary<PostureOutcome> = {
  passed: { label: "Passed", tone: "ok", icon: CircleCheck },
  failed: { label: "Failed", tone: "bad", icon: CircleX, says: "There are findings." },
  unknown: { label: "Unknown", tone: "warn", icon: CircleHelp, says: "A reading is missing: it counts neither as passed nor as failed." },
};

export const postureTenantStates: Vocabulary<PostureTenantState> = {
  passed: { label: "Passed", tone: "ok", icon: CircleCheck, says: "Every check passed." },
  failed: { label: "Findings", tone: "bad", icon: CircleX, says: "At least one check failed." },
  unknown: { label: "Unknown", tone: "warn", icon: CircleHelp, says: "Nothing failed, but not everything is known." },
  waiting: { label: "Not yet checked", tone: "mute", icon: CircleDashed },
};

export const signInOutcomes: Vocabulary<SignInOutcome> = {
  success: { label: "Signed in", tone: "ok", icon: CircleCheck },
  interrupted: { label: "Asked for more", tone: "info", icon: ShieldQuestionMark, says: "A second factor, a new password or consent was asked for." },
  failure: { label: "Turned away", tone: "bad", icon: CircleX },
};

export const changeOutcomes: Vocabulary<ChangeOutcome> = {
  success: { label: "Done", tone: "ok", icon: CircleCheck },
  failure: { label: "Failed", tone: "bad", icon: CircleX },
  timeout: { label: "Timed out", tone: "warn", icon: TimerOff },
  unknown: { label: "Unknown", tone: "mute", icon: CircleHelp },
};

export const coverageStates: Vocabulary<CoverageState> = {
  whole: { label: "Whole", tone: "ok", icon: CircleCheck, says: "Everything from the first reading to the last was read." },
  gap: { label: "Open gap", tone: "bad", icon: CircleDot, says: "The time since the last whole reading is missing; the next one that succeeds fills it." },
  lost: { label: "Part is lost", tone: "warn", icon: TriangleAlert, says: "Some time was not read before Microsoft forgot it." },
  not_offered: { label: "Not offered", tone: "mute", icon: CircleDashed, says: "The tenant does not have this log." },
  waiting: { label: "Not yet read", tone: "mute", icon: CircleDashed },
};

export const layerWords: Readonly<Record<LayerKind, string>> = { provider: "Everybody", tier: "Tier", customer: "Customer only" };

export const findings: Vocabulary<CheckFinding> = {
  ok: { label: "There", tone: "ok", icon: Check },
  missing_right: { label: "Right missing", tone: "bad", icon: Ban, says: "Somebody has to grant it at the vendor." },
  missing_capability: { label: "Not offered", tone: "warn", icon: CircleDashed, says: "The vendor does not offer it here." },
  failed: { label: "Not answered", tone: "bad", icon: X, says: "It could not be asked now." },
  skipped: { label: "Not asked", tone: "mute", icon: CircleDashed, says: "Something before it is missing." },
};

export const deviceClasses: Readonly<Record<DeviceClass, string>> = {
  workstation: "Workstation",
  server: "Server",
  virtual_machine: "Virtual machine",
  network: "Network",
  mobile: "Mobile",
  other: "Other",
};

/** Which sides know a machine. */
export const endpointCoverage: Vocabulary<EndpointCoverage> = {
  covered: { label: "Managed and enrolled", tone: "ok", icon: ShieldCheck, says: "The RMM's agent and Intune both have it." },
  rmm_only: { label: "RMM only", tone: "info", icon: MonitorCheck, says: "The RMM's agent has it; it is not enrolled in Intune." },
  mdm_only: { label: "Uncovered", tone: "bad", icon: ShieldX, says: "Enrolled in Intune, and no agent of the RMM is on it." },
  stale: { label: "Silent", tone: "warn", icon: TimerOff, says: "Nobody has heard of it for 30 days." },
};

/** How sure it is that the records of a machine are of one. */
export const linkConfidence: Vocabulary<LinkConfidence> = {
  certain: { label: "Certain", tone: "ok", icon: BadgeCheck, says: "By a serial number, an Entra device id, or a person's decision." },
  strong: { label: "Strong", tone: "info", icon: CircleCheck, says: "By a name that occurs once in each source, or by a record that followed another." },
};

export const linkKinds: Readonly<Record<string, string | undefined>> = {
  serial: "the same serial number",
  name: "the same name",
  entra_id: "the same Entra device id",
  reenrolled: "set up anew",
  kept: "kept together",
  decision: "a person's decision",
};

/** Why something about machines waits for a person. */
export const conflictKinds: Vocabulary<ConflictKind> = {
  serial_and_name: { label: "Serial and name disagree", tone: "bad", icon: Split, says: "The serial number says one machine, the name another." },
  two_candidates: { label: "More than one fits", tone: "warn", icon: CircleHelp, says: "More than one record could be meant." },
  same_name: { label: "Same name only", tone: "wait", icon: Tags, says: "The names are the same, the serial numbers are not." },
  contradicted: { label: "Facts contradict", tone: "warn", icon: TriangleAlert, says: "What a person decided is not what the records say now." },
};

export const siteReads: Vocabulary<SiteReads> = {
  inventory: { label: "Size only", tone: "mute", icon: CircleDashed, says: "The site and how much is in it. Nothing inside is listed." },
  sharing: { label: "Sharing", tone: "info", icon: Eye, says: "Files by name, and who may open them. No file is downloaded." },
  documents: { label: "Documents", tone: "ok", icon: Check, says: "The files as well: their words are searched." },
};

export const textStates: Vocabulary<TextState> = {
  none: { label: "Not read", tone: "mute", icon: CircleDashed, says: "Only its name is searched: the site's files are not downloaded, or not yet." },
  extracted: { label: "Searchable", tone: "ok", icon: Check, says: "Its words are searched." },
  unsupported: { label: "Name only", tone: "mute", icon: CirclePause, says: "No words are read of this kind of file." },
  too_large: { label: "Too large", tone: "warn", icon: TriangleAlert },
  failed: { label: "Not readable", tone: "warn", icon: TriangleAlert },
  infected: { label: "Malware", tone: "bad", icon: ShieldX, says: "SharePoint found malware in it. It was not downloaded." },
};

/** How wide a link or guest opens a document, the widest first. The numbers are those of the database. */
export const shareRisks: Readonly<Record<number, Status | undefined>> = {
  1: { label: "Anyone can edit", tone: "bad", icon: ShieldX, says: "Whoever has the link can change it, without an end." },
  2: { label: "Anyone can edit, limited", tone: "bad", icon: ShieldAlert, says: "Whoever has the link can change it, until it ends or with its password." },
  3: { label: "Anyone can view", tone: "warn", icon: TriangleAlert, says: "Whoever has the link can read it, without an end." },
  4: { label: "Anyone can view, limited", tone: "info", icon: Eye, says: "Whoever has the link can read it, until it ends or with its password." },
  5: { label: "Guest can edit", tone: "warn", icon: UserRound },
  6: { label: "Guest can view", tone: "info", icon: UserRound },
  7: { label: "Everyone inside can edit", tone: "info", icon: Info },
  8: { label: "Inside only", tone: "mute", icon: ShieldCheck },
};

export const mfaOutcomes: Vocabulary<MfaOutcome> = {
  gap: { label: "Gap", tone: "bad", icon: ShieldX, says: "Somebody can sign in with a password alone." },
  unknown: { label: "Unknown", tone: "warn", icon: ShieldQuestionMark, says: "A reading is missing that could change the answer." },
  exempt: { label: "Exempt", tone: "mute", icon: ShieldMinus, says: "A second factor is not always asked for, for a stated reason." },
  protected: { label: "Protected", tone: "ok", icon: ShieldCheck, says: "A second factor is asked for, whatever the app and the place." },
};

/** Why the second factor is (not) asked for, in two or three words; the sentence beside it names names. */
export const mfaReasons: Readonly<Record<string, string>> = {
  no_policy: "nothing asks anybody",
  not_included: "not included",
  excluded: "excluded from the policy",
  report_only: "policy only reports",
  policy_off: "policy is off",
  some_apps: "only for some apps",
  some_clients: "only for some clients",
  some_locations: "only at some places",
  some_platforms: "only on some platforms",
  some_risks: "only at a risk",
  some_devices: "only on some devices",
  some_conditions: "only on a condition",
  other_grant: "something else is enough",
  not_registered: "no method registered",
  missing_data: "not all was read",
};

export const partStates: Vocabulary<TenantPartState> = {
  complete: { label: "Complete", tone: "ok", icon: Check },
  partial: { label: "Partial", tone: "warn", icon: TriangleAlert, says: "Not everything was read. What was read is kept; nothing was removed." },
  denied: { label: "Right missing", tone: "warn", icon: Ban, says: "The app lacks a permission in this tenant." },
  failed,
};

/** How well a device is guarded, as the RMM reports its antivirus. */
export const guardStates: Vocabulary<GuardState> = {
  protected: { label: "Protected", tone: "ok", icon: ShieldCheck, says: "A product runs with current definitions." },
  outdated: { label: "Outdated", tone: "warn", icon: ShieldAlert, says: "The definitions are out of date." },
  off: { label: "Switched off", tone: "bad", icon: ShieldMinus, says: "A product is there and does not run." },
  none: { label: "No antivirus", tone: "bad", icon: ShieldX, says: "The RMM reports no product." },
  unknown: { label: "Unknown", tone: "mute", icon: ShieldQuestionMark, says: "The RMM does not say, in words that are known." },
};

export const backupStates: Vocabulary<BackupState> = {
  current: { label: "Backed up", tone: "ok", icon: Check },
  late: { label: "Backup late", tone: "warn", icon: Clock, says: "The last success is more than three days old." },
  none: { label: "No backup", tone: "mute", icon: CircleDashed, says: "The RMM backs nothing of this device up." },
};

export const patchStandings: Vocabulary<PatchStanding> = {
  pending: { label: "Not installed", tone: "warn", icon: Hourglass },
  failed: { label: "Failed", tone: "bad", icon: X, says: "It was tried and could not be installed." },
  rejected: { label: "Rejected", tone: "mute", icon: Ban, says: "Somebody decided that it is not to be installed." },
  other: { label: "Other", tone: "mute", icon: CircleHelp },
};

export const expiryStates: Vocabulary<ExpiryState> = {
  ended: { label: "Ended", tone: "bad", icon: X, says: "It is over: what needs it does not work any more." },
  week: { label: "7 days left", tone: "bad", icon: TriangleAlert, says: "It ends within 7 days." },
  month: { label: "30 days left", tone: "warn", icon: Clock, says: "It ends within 30 days." },
  quarter: { label: "90 days left", tone: "info", icon: Clock, says: "It ends within 90 days." },
  later: { label: "Later", tone: "mute", icon: Check },
  open: { label: "Works", tone: "ok", icon: Check, says: "Its last use was good; when it ends is not known." },
  never: { label: "Never worked", tone: "mute", icon: CircleDashed, says: "No read has ever proven it." },
};

export const seatBases: readonly SeatBasis[] = ["assigned", "enabled", "purchased"];
export const seatBasisWords: Readonly<Record<SeatBasis, string>> = {
  assigned: "every assigned seat",
  enabled: "assigned to people who may sign in",
  purchased: "every seat that was bought",
};

/** A value the vocabulary does not know yet is shown as it is, never hidden. */
export function statusOf<Value extends string>(vocabulary: Vocabulary<Value>, value: string): Status {
  const known: Readonly<Record<string, Status | undefined>> = vocabulary;
  return known[value] ?? { label: words(value), tone: "mute", icon: CircleHelp };
}

/** What raised an alert, before the name of its source. */
export function alertKind(kind: string): string {
  const known: Readonly<Record<string, string | undefined>> = { microsoft_security: "Security alert", cipp_alert: "Check" };
  return known[kind] ?? words(kind);
}

/** "disk_full" as people write it: "Disk full". */
export function words(value: string): string {
  const text = value.replaceAll(/[_.-]+/g, " ").trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
