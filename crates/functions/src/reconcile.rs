use app::money::{
    approve::{Correction, approve},
    flows::Proration as Booking,
    ignore,
    preview::{self, Proposed},
    reconcile,
};
use domain::money::{Counts, SeatBasis as Basis};
use garde::Validate;
use kernel::{
    ApiError, Decimal, ErrorCode, Timestamp,
    id::{CustomerId, DifferenceId, ReconciliationId, RunId},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Call, Function, RateClass};

/// Differences that a preview lists; `differences_total` says how many there are.
const PREVIEW_ROWS_MAX: usize = 200;
/// Billed units per device.
const MULTIPLIER_MAX: u32 = 1_000;

#[derive(Debug)]
pub struct Reconcile;

#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Input {
    /// Compare counts with lines now.
    Run {
        /// Without it, all customers.
        #[serde(default)]
        #[garde(skip)]
        customer_id: Option<CustomerId>,
    },
    /// What a rule would find; nothing is kept.
    PreviewRule {
        #[garde(skip)]
        billing_product_id: Uuid,
        /// Without a word: devices.
        #[serde(default)]
        #[garde(skip)]
        counts: CountsWhat,
        /// Of devices.
        #[serde(default)]
        #[garde(length(max = 6))]
        device_classes: Vec<DeviceClass>,
        /// Of devices; without a word, only those that the provider approved.
        #[serde(default)]
        #[garde(skip)]
        approved_only: Option<bool>,
        /// Of seats: Microsoft's ids of the licenses.
        #[serde(default)]
        #[garde(length(max = 50))]
        sku_ids: Vec<Uuid>,
        /// Of seats.
        #[serde(default)]
        #[garde(skip)]
        seat_basis: Option<SeatBasis>,
        /// Billed units per device or seat: a decimal number above 0, at most 1000.
        #[garde(length(chars, min = 1, max = 12))]
        multiplier: String,
    },
    /// Do not show a difference as open until then, or until its numbers change.
    Ignore {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        difference_id: DifferenceId,
        #[garde(length(chars, min = 1, max = 2000))]
        reason: String,
        /// At most a year ahead.
        #[garde(skip)]
        until: Timestamp,
    },
    /// Show an ignored difference as open again.
    Unignore {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        difference_id: DifferenceId,
    },
    /// Start the change of the line; its run asks for an approval before anything is sent.
    Approve {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        difference_id: DifferenceId,
        /// It changes money, so it has no default.
        #[garde(skip)]
        proration: Proration,
        /// Of a reduction of what is committed: the end of the commitment, when the customer is let go before it. Without it,
        /// or with an earlier end than there is, such a reduction is refused.
        #[serde(default)]
        #[garde(skip)]
        release_commitment_until: Option<Timestamp>,
    },
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CountsWhat {
    #[default]
    Devices,
    Seats,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeatBasis {
    /// Every license that somebody holds.
    Assigned,
    /// Those of accounts that may sign in.
    Enabled,
    /// What was bought.
    Purchased,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceClass {
    Workstation,
    Server,
    VirtualMachine,
    Network,
    Mobile,
    Other,
}

impl DeviceClass {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Workstation => "workstation",
            Self::Server => "server",
            Self::VirtualMachine => "virtual_machine",
            Self::Network => "network",
            Self::Mobile => "mobile",
            Self::Other => "other",
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Proration {
    /// Rev.io charges or credits the rest of the month at once.
    Prorate,
    /// The new quantity counts from the next bill on.
    None,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Output {
    Run(Ran),
    PreviewRule(Preview),
    Ignore { difference_id: DifferenceId, state: String },
    Unignore { difference_id: DifferenceId, state: String },
    Approve { difference_id: DifferenceId, run_id: RunId, state: String },
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Ran {
    pub reconciliation_id: ReconciliationId,
    pub customers_done: i32,
    pub customers_skipped: usize,
    pub skipped: Vec<Skipped>,
    pub opened: i32,
    pub reopened: i32,
    pub closed: i32,
    pub differences_open: i32,
}

/// A customer whose facts were not fresh and complete: nothing of it was opened or closed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Skipped {
    pub customer_id: CustomerId,
    pub reason: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Preview {
    pub customers: usize,
    pub customers_skipped: usize,
    /// At most 200, the most money first.
    pub differences: Vec<Previewed>,
    pub differences_total: usize,
    pub totals: Vec<Total>,
}

/// Numbers as text, with every digit.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Previewed {
    pub customer_id: CustomerId,
    pub customer_name: String,
    pub counted: String,
    pub billed: String,
    pub difference: String,
    /// Negative when too much is billed.
    pub money_per_month: Option<String>,
    pub currency: String,
    pub direction: String,
    pub cause_text: String,
}

/// Of one currency; both are positive.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Total {
    pub currency: String,
    pub under_per_month: String,
    pub over_per_month: String,
}

impl Function for Reconcile {
    const NAME: &'static str = "reconcile";
    const SUMMARY: &'static str =
        "Compare counts with billed lines, try a rule, ignore a difference, or change the line.";
    const PERMISSION: &'static str = "billing:manage";
    const PERMISSIONS: &'static [&'static str] = &["billing:manage"];
    const RATE: RateClass = RateClass::Act;
    const KEPT: &'static str = "Each customer is compared as a whole or not at all; a run that was started stays, and `runs` shows it.";
    type Input = Input;
    type Output = Output;

    fn customer(input: &Input) -> Option<CustomerId> {
        match input {
            Input::Run { customer_id } => *customer_id,
            Input::PreviewRule { .. } => None,
            Input::Ignore { customer_id, .. }
            | Input::Unignore { customer_id, .. }
            | Input::Approve { customer_id, .. } => Some(*customer_id),
        }
    }

    fn example() -> Value {
        json!({
            "action": "approve",
            "customer_id": "00000000-0000-7000-8000-000000000001",
            "difference_id": "00000000-0000-7000-8000-000000000002",
            "proration": "none"
        })
    }

    async fn call(call: &Call, input: Input) -> Result<Output, ApiError> {
        let (services, actor) = (&call.services, &call.actor);
        let (pg, clock) = (&services.pg, &services.clock);
        match input {
            Input::Run { customer_id } => {
                Ok(Output::Run(ran(reconcile::request(pg, clock, actor, customer_id).await?)))
            }
            Input::PreviewRule {
                billing_product_id,
                counts,
                device_classes,
                approved_only,
                sku_ids,
                seat_basis,
                multiplier,
            } => {
                let counts = match counts {
                    CountsWhat::Devices if sku_ids.is_empty() && seat_basis.is_none() => {
                        of_devices(&device_classes, approved_only)?
                    }
                    CountsWhat::Devices => return Err(unclear("A rule of devices names no licenses.")),
                    CountsWhat::Seats => of_seats(&device_classes, sku_ids, seat_basis)?,
                };
                let proposed =
                    Proposed { product: billing_product_id, counts, multiplier: units(&multiplier)? };
                Ok(Output::PreviewRule(previewed(preview::preview(pg, actor, proposed, clock.now()).await?)))
            }
            Input::Ignore { customer_id, difference_id, reason, until } => {
                ignore::ignore(pg, actor, customer_id, difference_id, until, &reason, clock.now()).await?;
                Ok(Output::Ignore { difference_id, state: "ignored".into() })
            }
            Input::Unignore { customer_id, difference_id } => {
                ignore::unignore(pg, actor, customer_id, difference_id).await?;
                Ok(Output::Unignore { difference_id, state: "open".into() })
            }
            Input::Approve { customer_id, difference_id, proration, release_commitment_until } => {
                let proration = match proration {
                    Proration::Prorate => Booking::Prorate,
                    Proration::None => Booking::None,
                };
                let correction = Correction {
                    customer: customer_id,
                    difference: difference_id,
                    proration,
                    releases: release_commitment_until,
                };
                let run_id = approve(pg, &services.engine, actor, correction, clock.now()).await?;
                Ok(Output::Approve { difference_id, run_id, state: "changing".into() })
            }
        }
    }
}

fn of_devices(classes: &[DeviceClass], approved_only: Option<bool>) -> Result<Counts, ApiError> {
    if classes.is_empty() {
        return Err(unclear("A rule of devices names their classes."));
    }
    let device_classes = classes.iter().map(|class| class.as_str().to_owned()).collect();
    Ok(Counts::Devices { device_classes, approved_only: approved_only.unwrap_or(true) })
}

fn of_seats(
    classes: &[DeviceClass],
    sku_ids: Vec<Uuid>,
    basis: Option<SeatBasis>,
) -> Result<Counts, ApiError> {
    let (true, false, Some(basis)) = (classes.is_empty(), sku_ids.is_empty(), basis) else {
        return Err(unclear("A rule of seats names licenses and how they are counted, and no device."));
    };
    let basis = match basis {
        SeatBasis::Assigned => Basis::Assigned,
        SeatBasis::Enabled => Basis::Enabled,
        SeatBasis::Purchased => Basis::Purchased,
    };
    Ok(Counts::Seats { sku_ids, basis })
}

fn unclear(message: &str) -> ApiError {
    ApiError::new(ErrorCode::ValueRefused, message)
        .details("See `counts`, `device_classes`, `sku_ids`, `seat_basis`.")
}

fn units(text: &str) -> Result<Decimal, ApiError> {
    let number: Option<Decimal> = text.parse().ok();
    number.filter(|it| *it > Decimal::ZERO && *it <= Decimal::from(MULTIPLIER_MAX)).ok_or_else(|| {
        ApiError::new(ErrorCode::ValueRefused, "The multiplier is a number above 0, at most 1000.")
            .details("`multiplier` is not.")
    })
}

fn ran(done: reconcile::Reconciled) -> Ran {
    let ended = done.ended;
    Ran {
        reconciliation_id: done.id,
        customers_done: ended.done,
        customers_skipped: ended.skipped.len(),
        skipped: ended
            .skipped
            .into_iter()
            .map(|(customer_id, reason)| Skipped { customer_id, reason })
            .collect(),
        opened: ended.opened,
        reopened: ended.reopened,
        closed: ended.closed,
        differences_open: ended.open,
    }
}

fn previewed(preview: preview::Preview) -> Preview {
    let differences_total = preview.differences.len();
    let row =
        |(customer_id, customer_name, found): (CustomerId, String, domain::money::Difference)| Previewed {
            customer_id,
            customer_name,
            counted: found.counted.to_string(),
            billed: found.billed.to_string(),
            difference: found.difference.to_string(),
            money_per_month: found.money_per_month.map(|money| money.fixed(2)),
            currency: found.currency,
            direction: found.direction.as_str().into(),
            cause_text: found.text,
        };
    Preview {
        customers: preview.customers,
        customers_skipped: preview.skipped,
        differences: preview.differences.into_iter().take(PREVIEW_ROWS_MAX).map(row).collect(),
        differences_total,
        totals: preview
            .totals
            .into_iter()
            .map(|total| Total {
                currency: total.currency,
                under_per_month: total.under_per_month.fixed(2),
                over_per_month: total.over_per_month.fixed(2),
            })
            .collect(),
    }
}
