//! For whom a request is answered: the person of the token, or the signer of a link.
use kernel::id::{RequestId, UserId};
use pg::{
    Actor, ActorTx, PgError, WorkReason,
    access::{Read, Reader, Source},
};

use crate::{error::StorageError, place::Place, state::Inner};

/// Files that a person reads within an hour while exports are frozen.
pub const FROZEN_FILES_PER_HOUR_MAX: u64 = 200;
const IS_FROZEN: &str = "select app.exports_frozen()";

#[derive(Clone, Debug)]
pub(crate) enum Who {
    Person(Actor),
    /// A link speaks for its signer, whose right was asked again just now.
    Link(UserId),
    /// Whoever comes, to a public bucket.
    Public,
    /// The product itself, for one customer.
    Product,
}

impl Who {
    /// The person, or 401.
    pub(crate) fn signed_in(actor: Option<Actor>) -> Result<Self, StorageError> {
        actor.filter(|actor| !actor.is_anonymous()).map(Self::Person).ok_or_else(StorageError::not_signed_in)
    }

    pub(crate) async fn begin(&self, state: &Inner, place: Place) -> Result<ActorTx, PgError> {
        let reason = WorkReason::Files;
        match (self, place) {
            (Self::Person(actor), _) => state.pg.act_as(actor).await,
            (Self::Link(signer), Place::Customer(customer)) => {
                let mut person = Actor::anonymous(RequestId::new(state.clock.now()));
                person.user = Some(*signer);
                state.pg.work_on_behalf(&person, customer, reason).await
            }
            (Self::Public | Self::Product, Place::Customer(customer)) => {
                state.pg.work_for(customer, reason).await
            }
            (Self::Link(_) | Self::Public | Self::Product, Place::Provider) => {
                state.pg.work_for_provider(reason).await
            }
        }
    }

    /// A transaction before it is known whose file it is: for reading a bucket's rules.
    pub(crate) async fn begin_anywhere(&self, state: &Inner) -> Result<ActorTx, PgError> {
        self.begin(state, Place::Provider).await
    }

    /// An error when this caller read so many files that each further one is an export, and exports are frozen.
    pub(crate) async fn may_leave(&self, state: &Inner, tx: &ActorTx) -> Result<(), StorageError> {
        let user = match self {
            Self::Person(actor) => actor.user,
            Self::Link(signer) => Some(*signer),
            Self::Public | Self::Product => None,
        };
        let is_much =
            |user| state.pg.access().volume(user, state.clock.now()).files >= FROZEN_FILES_PER_HOUR_MAX;
        if user.is_some_and(is_much) && tx.query_one(IS_FROZEN, &[]).await?.get::<_, bool>(0) {
            return Err(StorageError::frozen(FROZEN_FILES_PER_HOUR_MAX));
        }
        Ok(())
    }

    pub(crate) fn signer(&self) -> Option<uuid::Uuid> {
        match self {
            Self::Link(signer) => Some(signer.0),
            Self::Person(_) | Self::Public | Self::Product => None,
        }
    }

    /// Counts what this caller read of a bucket: the bytes of a file, or names. `how` is a word of ours, never the caller's.
    pub(crate) fn note(&self, state: &Inner, source: Source, bucket: &str, rows: usize, how: &str) {
        let reader = match self {
            Self::Person(actor) => actor.into(),
            Self::Link(signer) => Reader::link(*signer),
            Self::Public | Self::Product => Reader::default(),
        };
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        let read = Read { reader, source, subject: ("storage", bucket), rows, at: state.clock.now() };
        state.pg.access().note(&read, |shape| shape.push(how));
    }

    /// What a refused right is called for this caller.
    pub(crate) async fn denied(&self, state: &Inner, place: Place) -> StorageError {
        match self {
            Self::Person(actor) => match state.pg.act_as(actor).await {
                Ok(tx) => place.denied(&tx).await,
                Err(error) => error.into(),
            },
            Self::Link(_) | Self::Public | Self::Product => StorageError::object_not_found(),
        }
    }
}

/// A right that the policies refused (SQLSTATE 42501).
pub(crate) fn is_refused(error: &PgError) -> bool {
    error.code().is_some_and(|code| code.code() == "42501")
}
