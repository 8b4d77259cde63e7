//! SharePoint through Graph: sites, document libraries, what changed in them, who may open what, and the files themselves.
//!
//! The same tokens, errors and links as the rest of Graph, so the same crate (ADR 24); but an application of its own with two
//! rights that read, and SharePoint's own way of counting calls: a download or a page of changes is 1 unit, a list 2, the
//! permissions of an item 5.
mod download;
mod drives;
mod hash;
mod health;
mod items;
mod permissions;
mod sites;

pub use download::{Download, Wanted};
pub use drives::Drive;
pub use hash::QuickXorHash;
pub use items::{Change, ChangesPage, Continue, Differences, Item, ItemKind, ReadChanges};
pub use permissions::{Grantee, Share, ShareKind, ShareScope};
pub use sites::{Site, SiteKind};

pub const SITES: &str = "Sites.Read.All";
pub const FILES: &str = "Files.Read.All";

/// The application permissions of the application for SharePoint, and what for. Both read.
pub const PERMISSIONS: &[(&str, &str)] = &[
    (SITES, "list sites and their document libraries"),
    (FILES, "see folders, files and their sharing links, and download what staff chose"),
];
