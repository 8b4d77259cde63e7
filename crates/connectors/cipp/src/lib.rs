//! CIPP, the open deployment by which providers run Microsoft 365 tenants: its protocol, its habits and its faults. No
//! database, no decisions.
//!
//! * One deployment for each provider. A tenant is named by its default domain in every call; its id is the key that lasts.
//! * A 200 is not a success: failures come as a sentence, as one false row, or as a placeholder until a cache is filled. None of
//!   these is ever taken for data ([`connector_api::VendorError::NotReady`], `Rejected` with status 200).
//! * Lists of one row may come as an object, and empty ones as `null` or as nothing. Numbers and flags may be text.
//! * What changes something is sent once. Its answer says [`Said::Ok`], [`Said::Failed`] or [`Said::Unsure`]; none of them is a proof.
mod actions;
pub mod alerts;
mod auth;
mod client;
pub mod config;
mod errors;
mod fields;
pub mod healthcheck;
pub mod mail;
pub mod people;
pub mod rights;
pub mod settings;
pub mod tenants;
pub mod types;

pub use actions::{Acted, Copies, Forwarding, LicenseChange, MailboxKind, Offboarding, PasswordReset, Said};
pub use alerts::{AlertRule, FiredAlert};
pub use client::Cipp;
pub use config::Config;
pub use fields::normalized;
pub use mail::{MailDomain, MailboxForwarding};
pub use rights::RIGHTS;
pub use tenants::Tenants;
pub use types::{
    Alignment, License, Me, MfaUser, NewTemplate, Record, SettingRead, StandardsTemplate, Tenant, User,
    Wanted,
};
