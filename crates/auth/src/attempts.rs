//! Limits on failed sign-ins, counted in the database over all processes.
//!
//! * Per address (an IPv6 address counts as its /64): `failures_per_address`, over all accounts.
//! * Per account: `failures_per_account`, over all addresses. **An address from which this person signed in lately has its
//!   own count**, so strangers can shut an account for themselves but not for its owner at the usual place, and nobody can
//!   shut out everybody.
//! * Over the limit the password is not looked at: a right one is refused like a wrong one, and nothing is learned.
//! * An attempt is written as failed before the password is checked and corrected afterwards, under a lock per address and
//!   account: many attempts at once do not slip through together.
use std::net::{IpAddr, Ipv6Addr};

use jiff::SignedDuration;
use kernel::{Timestamp, id::uuid_v7};
use pg::{ActorTx, PgError};
use uuid::Uuid;

use crate::SignInLimits;

/// How long an address counts as a person's usual place after a sign-in.
const USUAL_PLACE_DAYS: i64 = 30;
/// Refusals of one address are written at most this often, so that a flood does not fill the table.
const REFUSALS_WRITTEN_EVERY_S: i64 = 10;

const LOCK: &str = "select pg_advisory_xact_lock(hashtextextended($1, 7331031))";
const OVER_BY_ADDRESS: &str = "select a.at from auth.sign_in_attempts a
    where a.address = $1::text::inet and a.at > $2 and a.outcome in ('wrong', 'disabled')
    order by a.at desc offset $3 limit 1";
const OVER_BY_ACCOUNT: &str = "select a.at from auth.sign_in_attempts a
    where a.email = $1 and a.at > $2 and a.outcome in ('wrong', 'disabled')
      and (a.address is not distinct from $4::text::inet
        or not exists (select from auth.sign_in_attempts k
             where k.email = $1 and k.address = $4::text::inet and k.outcome = 'ok' and k.at > $5))
    order by a.at desc offset $3 limit 1";
const INSERT: &str = "insert into auth.sign_in_attempts (id, email, address, at, outcome)
    values ($1, $2, $3::text::inet, $4, 'wrong')";
const INSERT_REFUSAL: &str = "insert into auth.sign_in_attempts (id, email, address, at, outcome)
    select $1, $2, $3::text::inet, $4, 'limited' where not exists (
      select from auth.sign_in_attempts a where a.at > $5 and a.outcome = 'limited'
        and (a.address = $3::text::inet or ($3::text is null and a.email = $2)))";
const CORRECT: &str = "update auth.sign_in_attempts set outcome = $2 where id = $1";

/// What an attempt came to, when it was not simply wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    Ok,
    Disabled,
}

/// One attempt: whose, and from where.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    pub email: &'a str,
    /// The address, or its /64; `None` when the server did not say.
    pub network: Option<String>,
    pub at: Timestamp,
}

impl<'a> Attempt<'a> {
    pub(crate) fn new(email: &'a str, address: Option<IpAddr>, at: Timestamp) -> Self {
        Self { email, network: address.map(network), at }
    }

    /// Seconds to wait when a limit is reached.
    pub(crate) async fn refusal(&self, tx: &ActorTx, limits: &SignInLimits) -> Result<Option<u64>, PgError> {
        let since = earlier(self.at, limits.window);
        let usual_since = earlier(self.at, SignedDuration::from_hours(24 * USUAL_PLACE_DAYS));
        let skip = |limit: u32| i64::from(limit.max(1)) - 1;
        let by_address = tx
            .query_opt(OVER_BY_ADDRESS, &[&self.network, &since, &skip(limits.failures_per_address)])
            .await?;
        let account = skip(limits.failures_per_account);
        let by_account = tx
            .query_opt(OVER_BY_ACCOUNT, &[&self.email, &since, &account, &self.network, &usual_since])
            .await?;
        let free_at =
            [by_address, by_account].into_iter().flatten().map(|row| row.get::<_, Timestamp>(0)).max();
        Ok(free_at.map(|at| {
            let wait = at.duration_since(since);
            u64::try_from(wait.as_secs()).unwrap_or(0) + u64::from(wait.subsec_nanos() > 0)
        }))
    }

    /// Takes the locks of this address and this account, always in this order.
    pub(crate) async fn lock(&self, tx: &ActorTx) -> Result<(), PgError> {
        if let Some(network) = &self.network {
            tx.query(LOCK, &[&format!("address {network}")]).await?;
        }
        tx.query(LOCK, &[&format!("account {}", self.email)]).await.map(drop)
    }

    /// Writes the attempt as failed; [`correct`] changes that.
    pub(crate) async fn write(&self, tx: &ActorTx) -> Result<Uuid, PgError> {
        let id = uuid_v7(self.at);
        tx.execute_one(INSERT, &[&id, &self.email, &self.network, &self.at]).await?;
        Ok(id)
    }

    pub(crate) async fn write_refusal(&self, tx: &ActorTx) -> Result<(), PgError> {
        let since = earlier(self.at, SignedDuration::from_secs(REFUSALS_WRITTEN_EVERY_S));
        let id = uuid_v7(self.at);
        tx.execute(INSERT_REFUSAL, &[&id, &self.email, &self.network, &self.at, &since]).await.map(drop)
    }
}

pub(crate) async fn correct(tx: &ActorTx, attempt: Uuid, outcome: Outcome) -> Result<(), PgError> {
    let text = match outcome {
        Outcome::Ok => "ok",
        Outcome::Disabled => "disabled",
    };
    tx.execute_one(CORRECT, &[&attempt, &text]).await
}

fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A household or server has a whole IPv6 /64; an IPv4 address written as IPv6 is still the IPv4 address.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_count_together() {
        let of = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
    }
}
