//! Rev.io's billing REST API v1: its protocol, its habits and its faults. No database, no decisions.
//!
//! * The vendor publishes no contract file. What the public evidence leaves open is read leniently: numbers may come as
//!   text, unknown members and words never fail, and a row without its ids is counted as unreadable.
//! * Amounts and quantities are [`kernel::Decimal`]s, taken from the digits that the vendor sent. Records are held as
//!   [`serde_json::value::RawValue`] for it: `serde_json`'s feature `arbitrary_precision` would do the same, but a
//!   feature is switched on for every crate of the program, and it turns each number of each `Value` into a text.
//! * Times carry no zone. They are the local day of the vendor's client, so they stay [`jiff::civil::DateTime`]s; the
//!   caller knows that zone, and the connector does not guess it.
mod auth;
pub mod bills;
pub mod client;
pub mod config;
pub mod customers;
mod errors;
mod fields;
pub mod healthcheck;
pub mod lines;
pub mod payments;
pub mod products;
pub mod services;
pub mod tickets;
pub mod types;
pub mod webhook;

pub use client::RevIo;
pub use config::Config;
pub use lines::{LineWrite, NewLine, Proration};
pub use types::{
    Bill, Charge, CustomField, Customer, LineStatus, Payment, Product, Raw, Service, ServiceProduct, Ticket,
};
pub use webhook::{Event, Receiver, Subscription};
