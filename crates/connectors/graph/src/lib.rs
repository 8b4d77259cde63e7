//! Microsoft 365 through Microsoft Graph v1.0, application permissions: its protocol, its habits and its faults. No
//! database, no decisions.
//!
//! * One application of the MSP, consented to in each customer's tenant (by GDAP or by hand). Every tenant has its own
//!   token, its own pace and its own troubles; a tenant that refuses is [`connector_api::VendorError::NotConsented`] and
//!   says nothing about the credentials.
//! * Every call knows the right that it needs ([`permissions`]): a refusal names it.
//! * Per-user MFA can only be read under `/beta`, which the vendor may change. Nothing else here is beta.
//! * Records are held as they were sent beside what was read from them.
pub mod activity;
pub mod applications;
mod auth;
mod batch;
mod client;
pub mod config;
pub mod customers;
pub mod devices;
mod errors;
mod fields;
pub mod healthcheck;
pub mod inventory;
pub mod named;
pub mod people;
pub mod permissions;
pub mod policies;
pub mod quotas;
pub mod scores;
pub mod security_alerts;
pub mod sharepoint;
pub mod sign_in;
pub mod subscriptions;
pub mod types;
pub mod webhook;

pub use activity::{ActorKind, DirectoryChange, SignIn, SignInOutcome};
pub use applications::{AppCredential, Application, CredentialKind};
pub use client::{Graph, TenantClient};
pub use config::Config;
pub use devices::ManagedDevice;
pub use healthcheck::Canary;
pub use named::NamedCall;
pub use people::{DeltaEnd, People, Removed, UserFields, UsersDelta};
pub use permissions::{PERMISSIONS, missing_permission};
pub use scores::{ControlScore, SecureScore};
pub use security_alerts::{AlertSeverity, SecurityAlert};
pub use sign_in::PerId;
pub use subscriptions::{NewSubscription, Subscription};
pub use types::{
    AccessPolicy, AssignedLicense, AuthenticationMethod, CommercialSubscription, Domain, LicenseState,
    NamedLocation, Organization, PartnerCustomer, PerUserMfa, Prepaid, Raw, Registration, RoleAssignment,
    RoleDefinition, SecurityDefaults, ServicePlan, SignIns, SubscribedSku, User, VerifiedDomain,
};
