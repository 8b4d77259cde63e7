//! Whoever must know whether a vendor takes the credentials is told by the client itself: every call of every use passes it.
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use crate::VendorError;

pub type Told<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Told when it changes whether the vendor takes the credentials of one connection.
pub trait CredentialWatch: Send + Sync + 'static {
    /// `reason` carries no secret.
    fn refused<'a>(&'a self, reason: &'a str) -> Told<'a>;

    fn taken(&self) -> Told<'_>;
}

const UNKNOWN: u8 = 0;
const TAKEN: u8 = 1;
const REFUSED: u8 = 2;

/// Tells a watch of changes only, for all clones of a client.
#[derive(Clone, Default)]
pub struct CredentialState {
    watch: Option<Arc<dyn CredentialWatch>>,
    last: Arc<AtomicU8>,
}

impl CredentialState {
    pub fn told_to(watch: Arc<dyn CredentialWatch>) -> Self {
        Self { watch: Some(watch), last: Arc::new(AtomicU8::new(UNKNOWN)) }
    }

    /// What a call came to. Errors that say nothing of the credentials change nothing.
    pub async fn saw<T>(&self, outcome: &Result<T, VendorError>) {
        let Some(watch) = &self.watch else { return };
        match outcome {
            Ok(_) if self.last.swap(TAKEN, Ordering::AcqRel) != TAKEN => watch.taken().await,
            Err(VendorError::Auth { reason }) if self.last.swap(REFUSED, Ordering::AcqRel) != REFUSED => {
                watch.refused(reason).await;
            }
            _ => {}
        }
    }
}

impl fmt::Debug for CredentialState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialState").field("last", &self.last).finish_non_exhaustive()
    }
}
