//! What becomes of a difference that is known already.
use kernel::{Decimal, Timestamp};
use serde::Deserialize;
use uuid::Uuid;

use super::Difference;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Open,
    Ignored,
    /// A run works on its line; only that run says what came of it.
    Changing,
    /// The line is right; a bill has to show it.
    WaitingForInvoice,
    Closed,
}

impl State {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Ignored => "ignored",
            Self::Changing => "changing",
            Self::WaitingForInvoice => "waiting_for_invoice",
            Self::Closed => "closed",
        }
    }
}

/// A difference that is open, ignored or changing.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub state: State,
    pub ignored_until: Option<Timestamp>,
    /// Counted and billed when it was ignored.
    pub ignored_numbers: Option<(Decimal, Decimal)>,
    /// The run that works on it is over, although it did not say so.
    pub run_is_over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// What is billed is right again by itself.
    Vanished,
    /// A bill carries the changed quantity.
    Invoiced,
    /// The line was changed again.
    Superseded,
    /// Its rule is off.
    RuleOff,
}

impl Close {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vanished => "vanished",
            Self::Invoiced => "invoiced",
            Self::Superseded => "superseded",
            Self::RuleOff => "rule_off",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    Keep,
    /// Open again, and why.
    Reopen(&'static str),
    Close(Close),
}

/// What fresh and complete facts do to a known difference.
pub fn next(known: &Known, found: Option<&Difference>, now: Timestamp) -> Move {
    match (known.state, found) {
        (State::Changing, _) if !known.run_is_over => Move::Keep,
        (State::WaitingForInvoice | State::Closed, _) => Move::Keep,
        (_, None) => Move::Close(Close::Vanished),
        (State::Changing, Some(_)) => Move::Reopen("The change ended without an outcome."),
        (State::Open, Some(_)) => Move::Keep,
        (State::Ignored, Some(found)) => {
            if known.ignored_until.is_none_or(|until| until <= now) {
                Move::Reopen("The time to ignore it is over.")
            } else if known.ignored_numbers != Some((found.counted, found.billed)) {
                Move::Reopen("The numbers changed since it was ignored.")
            } else {
                Move::Keep
            }
        }
    }
}

/// A difference whose line was changed, and whose bill is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    pub changed_quantity: Decimal,
    /// The line's quantity now; `None` when the line is gone or off.
    pub line_quantity: Option<Decimal>,
    /// Another difference of the same rule is open, or nothing differs any more.
    pub is_settled: bool,
}

/// What a bill says of the line.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Charge {
    pub bill_id: Uuid,
    pub billed_at: Timestamp,
    /// The bill did not exist when the line was changed.
    pub is_later: bool,
    pub quantity: Option<Decimal>,
    pub is_prorated: bool,
}

/// The bill that proves the change, and what becomes of the difference. Only a bill that was made after the change and
/// carries the changed quantity closes it as invoiced.
pub fn next_waiting(waiting: &Waiting, charges: &[Charge]) -> (Move, Option<Uuid>) {
    let proof = charges
        .iter()
        .filter(|charge| {
            charge.is_later && !charge.is_prorated && charge.quantity == Some(waiting.changed_quantity)
        })
        .min_by_key(|charge| charge.billed_at);
    if let Some(charge) = proof {
        return (Move::Close(Close::Invoiced), Some(charge.bill_id));
    }
    if waiting.line_quantity == Some(waiting.changed_quantity) {
        return (Move::Keep, None);
    }
    let undone = if waiting.is_settled {
        Move::Close(Close::Superseded)
    } else {
        Move::Reopen("The line no longer has the quantity that it was given.")
    };
    (undone, None)
}
