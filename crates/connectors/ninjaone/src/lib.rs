//! NinjaOne's public API v2: its protocol, its habits and its faults. No database, no decisions.
//!
//! Times of the vendor are epoch seconds with a fraction; here they are [`jiff::Timestamp`]s. Every typed record
//! keeps the raw one beside it, unknown members and unknown words never fail, and a row without its id is
//! counted as unreadable instead of being guessed.
pub mod activities;
pub mod alerts;
mod auth;
pub mod client;
pub mod condition;
pub mod config;
pub mod custom_fields;
pub mod devices;
mod errors;
mod fields;
pub mod healthcheck;
pub mod maintenance;
pub mod queries;
pub mod reports;
pub mod scripts;
pub mod sign_in;
pub mod ticketing;
pub mod types;
pub mod webhook;

pub use activities::ActivityLog;
pub use client::NinjaOne;
pub use condition::{Condition, ConditionKind, ConditionState};
pub use config::Config;
pub use custom_fields::{DeviceField, DeviceFields, FieldDefinition};
pub use healthcheck::RUN_SCRIPTS;
pub use maintenance::{Feature, Maintenance, MaintenanceOrder};
pub use queries::{OwnList, Report};
pub use reports::{Antivirus, BackupUsage, DeviceHealth, OsPatch, Software};
pub use scripts::{AnswerShape, RunAs, ScriptOutcome, ScriptReceipt, ScriptRun, ScriptingOptions};
pub use sign_in::{SignIn, SignedIn};
pub use ticketing::{NewTicket, Ticket, TicketChange};
pub use types::{
    Activity, Alert, ApprovalStatus, Device, Location, MaintenanceStatus, NodeClass, Organization, OsInfo,
    Severity, SystemInfo, Volume, WindowsService,
};
pub use webhook::WebhookConfig;
