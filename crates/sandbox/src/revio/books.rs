//! The books of the MSP: customers, services, products, lines, bills, charges and tickets, made from the estate and the seed.
use std::collections::{BTreeMap, HashMap};

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use kernel::Decimal;

use super::auth::Usage;
use super::plant::{self, Mistake};
use super::tickets::Ticket;
use super::webhook::{Receiver, Subscription};
use crate::estate::{Approval, Device, Estate, Kind, Organization};
use crate::graph::skus::Sku;
use crate::names;
use crate::rng::Rng;

const DAY_S: i64 = 86_400;
const LINE_ID_FIRST: i64 = 30_001;
const BILL_ID_FIRST: i64 = 70_001;
const CHARGE_ID_FIRST: i64 = 900_001;
const PAYMENT_ID_FIRST: i64 = 400_001;
/// Months that were billed before the sandbox began.
const MONTHS_BILLED_BEFORE: i64 = 3;

/// What a device is, in the words of what is billed. The product's own classes must say the same (a test compares).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Class {
    Workstation,
    Server,
}

impl Class {
    pub fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::WindowsWorkstation | Kind::LinuxWorkstation | Kind::Mac => Some(Self::Workstation),
            Kind::WindowsServer | Kind::LinuxServer => Some(Self::Server),
            Kind::VmwareGuest | Kind::Phone => None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Product {
    pub id: i64,
    pub code: &'static str,
    pub description: &'static str,
    /// Devices of this class are counted for it.
    pub class: Option<Class>,
    /// Seats of this subscription are counted for it.
    pub sku: Option<Sku>,
    pub rate_cents: i32,
    pub cost_cents: i32,
}

pub(crate) const PRODUCTS: [Product; 6] = [
    Product {
        id: 201,
        code: "MGD-WKS",
        description: "Managed workstation",
        class: Some(Class::Workstation),
        sku: None,
        rate_cents: 5_500,
        cost_cents: 1_425,
    },
    Product {
        id: 202,
        code: "MGD-SRV",
        description: "Managed server",
        class: Some(Class::Server),
        sku: None,
        rate_cents: 14_000,
        cost_cents: 3_810,
    },
    Product {
        id: 203,
        code: "BKP-STO",
        description: "Backup storage",
        class: None,
        sku: None,
        rate_cents: 2_490,
        cost_cents: 1_105,
    },
    Product {
        id: 204,
        code: "HLP-FLAT",
        description: "Help desk",
        class: None,
        sku: None,
        rate_cents: 25_000,
        cost_cents: 0,
    },
    Product {
        id: 205,
        code: "M365-BP",
        description: "Microsoft 365 Business Premium",
        class: None,
        sku: Some(Sku::BusinessPremium),
        rate_cents: 2_640,
        cost_cents: 1_870,
    },
    Product {
        id: 206,
        code: "M365-E3",
        description: "Microsoft 365 E3",
        class: None,
        sku: Some(Sku::M365E3),
        rate_cents: 4_290,
        cost_cents: 3_060,
    },
];

pub(crate) fn product(id: i64) -> Option<&'static Product> {
    PRODUCTS.iter().find(|product| product.id == id)
}

#[derive(Clone, Debug)]
pub(crate) struct Customer {
    pub id: i64,
    pub organization_id: i64,
    pub company_name: String,
    pub account_number: String,
    pub activated: DateTime,
    pub updated: DateTime,
    /// Label and value; the id of a field is 31 plus its index.
    pub fields: Vec<(&'static str, Option<String>)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub id: i64,
    pub customer_id: i64,
    pub number: String,
    pub activated: DateTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Active,
    Disconnected,
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub id: i64,
    pub customer_id: i64,
    pub service_id: i64,
    pub product_id: i64,
    pub description: String,
    pub rate: Decimal,
    pub cost: Decimal,
    pub quantity: Decimal,
    pub status: Status,
    pub activated: DateTime,
    /// Of the status or the quantity.
    pub changed: DateTime,
    pub canceled: Option<DateTime>,
    pub billed_through: Option<DateTime>,
    /// The quantity may not go down before.
    pub contract_end: Option<DateTime>,
    pub flags: LineFlags,
}

/// How the line is shown on a bill.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LineFlags {
    pub tax_included: bool,
    pub group_on_bill: bool,
    pub itemized: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Bill {
    pub id: i64,
    pub customer_id: i64,
    pub cycle: Date,
    pub total: Decimal,
    pub paid: Decimal,
}

/// What an account paid. The vendor's record names no bill; `bill_id` is the truth behind it.
#[derive(Clone, Debug)]
pub(crate) struct Payment {
    pub id: i64,
    pub customer_id: i64,
    /// `None`: it settles no bill.
    pub bill_id: Option<i64>,
    pub amount: Decimal,
    pub reference: String,
    pub created: DateTime,
}

#[derive(Clone, Debug)]
pub(crate) struct Charge {
    pub id: i64,
    pub customer_id: i64,
    pub bill_id: Option<i64>,
    pub product_id: i64,
    pub service_id: i64,
    pub line_id: i64,
    pub description: String,
    pub quantity: Decimal,
    pub rate: Decimal,
    pub amount: Decimal,
    pub cost: Decimal,
    pub is_prorated: bool,
    pub start: Date,
    pub end: Date,
    pub created: DateTime,
}

/// A device that was counted once and is gone.
#[derive(Clone, Debug)]
pub(crate) struct Retired {
    pub device_id: i64,
    pub organization_id: i64,
    pub class: Class,
    pub created_s: i64,
    pub removed: Timestamp,
}

#[derive(Debug)]
pub(crate) struct Books {
    pub customers: BTreeMap<i64, Customer>,
    pub services: BTreeMap<i64, Service>,
    pub lines: BTreeMap<i64, Line>,
    pub bills: BTreeMap<i64, Bill>,
    pub charges: BTreeMap<i64, Charge>,
    pub payments: BTreeMap<i64, Payment>,
    pub tickets: BTreeMap<i64, Ticket>,
    pub receivers: BTreeMap<i64, Receiver>,
    pub subscriptions: BTreeMap<i64, Subscription>,
    pub retired: Vec<Retired>,
    /// First day of the month that is billed next.
    pub next_cycle: Date,
    /// Rows at the front of a list that a fault took away for good.
    pub hidden: HashMap<&'static str, usize>,
    pub usage: Usage,
    /// Calls that came with good credentials.
    pub calls: u64,
    pub next_webhook: i64,
    pub next_event: i64,
}

pub(crate) fn local(at: Timestamp) -> DateTime {
    at.to_zoned(TimeZone::UTC).datetime()
}

pub(crate) fn cents(cents: i32) -> Decimal {
    Decimal::new(cents.into(), 2).unwrap_or_default()
}

/// Whether a device is billed, and as what.
pub(crate) fn counted(device: &Device) -> Option<Class> {
    (device.approval == Approval::Approved).then(|| Class::of(device.kind)).flatten()
}

/// Counted devices by organization and class, oldest first, as `(created, id)`.
pub(crate) type Counts = HashMap<(i64, Class), Vec<(i64, i64)>>;

pub(crate) fn counts(estate: &Estate) -> Counts {
    let mut counts = Counts::new();
    for device in estate.devices.values() {
        if let Some(class) = counted(device) {
            counts.entry((device.organization_id, class)).or_default().push((device.created_s, device.id));
        }
    }
    counts.values_mut().for_each(|devices| devices.sort_unstable());
    counts
}

pub(crate) fn customer_id_of(organization_id: i64) -> i64 {
    10_000 + organization_id * 7
}

impl Books {
    /// Turns some servers of one organization into workstations, where a billed ghost is planted. Seats come later, by
    /// [`Self::sell_seats`], and then the bills of the months before.
    pub fn seeded(estate: &mut Estate, seed: u64, now: Timestamp) -> Self {
        let plan = plant::plan(estate, seed);
        let counts = counts(estate);
        let first = local(now).date().first_of_month();
        let mut books = Self {
            customers: BTreeMap::new(),
            services: BTreeMap::new(),
            lines: BTreeMap::new(),
            bills: BTreeMap::new(),
            charges: BTreeMap::new(),
            payments: BTreeMap::new(),
            tickets: BTreeMap::new(),
            receivers: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            retired: Vec::new(),
            next_cycle: first.saturating_sub(jiff::Span::new().months(MONTHS_BILLED_BEFORE - 1)),
            hidden: HashMap::new(),
            usage: Usage::default(),
            calls: 0,
            next_webhook: 1,
            next_event: 1,
        };
        for organization in estate.organizations.values() {
            let mut rng = Rng::of(seed, organization.id.cast_unsigned() ^ 0x0072_6576);
            books.open(organization, now, &mut rng);
            let mistake = plan.get(&organization.id);
            books.sell(estate, organization.id, mistake, &counts, now, &mut rng);
            books.open_tickets(customer_id_of(organization.id), seed, now);
        }
        books
    }

    fn open(&mut self, organization: &Organization, now: Timestamp, rng: &mut Rng) {
        let id = customer_id_of(organization.id);
        let activated = local(now) - SignedDuration::from_secs(DAY_S * (1_000 + days(rng, 900)));
        let activated = DateTime::from(activated.date());
        let domain = format!("{}.example", slug(&organization.name));
        // Some customers never had their domain written down.
        let domain = (organization.id == 1 || !rng.percent(8)).then_some(domain);
        let customer = Customer {
            id,
            organization_id: organization.id,
            company_name: written_differently(organization, rng),
            account_number: format!("C-{}", 1_000 + organization.id),
            activated,
            updated: activated,
            fields: vec![
                ("Account manager", Some(rng.pick(&names::PEOPLE).to_owned())),
                ("Tenant domain", domain),
            ],
        };
        let number = format!("MSP-{}", customer.account_number);
        self.services.insert(id + 50_000, Service { id: id + 50_000, customer_id: id, number, activated });
        self.customers.insert(id, customer);
    }

    fn sell(
        &mut self,
        estate: &Estate,
        organization_id: i64,
        mistake: Option<&Mistake>,
        counts: &Counts,
        now: Timestamp,
        rng: &mut Rng,
    ) {
        let has_special_rate = rng.percent(16);
        for product in PRODUCTS.iter().filter(|product| product.sku.is_none()) {
            let Some(class) = product.class else {
                let quantity =
                    if product.id == 204 { 1 } else { 1 + u32::try_from(rng.below(12)).unwrap_or(0) };
                if rng.percent(70) {
                    self.add_line(product, customer_id_of(organization_id), quantity.into(), now, rng);
                }
                continue;
            };
            let devices = counts.get(&(organization_id, class)).map(Vec::as_slice).unwrap_or_default();
            let mistake = mistake.filter(|mistake| mistake.class == class);
            let first = self.next_line_id();
            plant::lines(self, estate, product, organization_id, devices, mistake, now, rng);
            if has_special_rate {
                let rate = cents(product.rate_cents - product.rate_cents / 10);
                self.lines.range_mut(first..).for_each(|(_, line)| line.rate = rate);
            }
        }
    }

    /// A line that was right on the day of its last change.
    pub fn add_line(
        &mut self,
        product: &Product,
        customer_id: i64,
        quantity: Decimal,
        now: Timestamp,
        rng: &mut Rng,
    ) -> i64 {
        let id = self.next_line_id();
        let activated = local(now) - SignedDuration::from_secs(DAY_S * (200 + days(rng, 700)));
        let activated = DateTime::from(activated.date());
        let line = Line {
            id,
            customer_id,
            service_id: customer_id + 50_000,
            product_id: product.id,
            description: product.description.to_owned(),
            rate: cents(product.rate_cents),
            cost: cents(product.cost_cents),
            quantity,
            status: Status::Active,
            activated,
            changed: activated,
            canceled: None,
            billed_through: None,
            contract_end: contract_end(id, now),
            flags: LineFlags { itemized: true, ..LineFlags::default() },
        };
        self.lines.insert(id, line);
        id
    }

    fn next_line_id(&self) -> i64 {
        self.lines.keys().next_back().map_or(LINE_ID_FIRST, |last| last + 1)
    }

    pub fn next_bill_id(&self) -> i64 {
        self.bills.keys().next_back().map_or(BILL_ID_FIRST, |last| last + 1)
    }

    pub fn next_payment_id(&self) -> i64 {
        self.payments.keys().next_back().map_or(PAYMENT_ID_FIRST, |last| last + 1)
    }

    pub fn next_charge_id(&self) -> i64 {
        self.charges.keys().next_back().map_or(CHARGE_ID_FIRST, |last| last + 1)
    }
}

/// Every other line has a term; of some it is over.
fn contract_end(line_id: i64, now: Timestamp) -> Option<DateTime> {
    let months = match line_id % 6 {
        0 | 2 => 1 + line_id % 13,
        4 => -5,
        _ => return None,
    };
    let day = local(now).date().first_of_month().checked_add(jiff::Span::new().months(months)).ok()?;
    Some(DateTime::from(day))
}

fn days(rng: &mut Rng, bound: u64) -> i64 {
    i64::try_from(rng.below(bound)).unwrap_or(0)
}

/// What a name becomes in a domain.
pub(crate) fn slug(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// Books are kept by other people than devices: some names differ by a legal form, by case or by a blank.
fn written_differently(organization: &Organization, rng: &mut Rng) -> String {
    let name = &organization.name;
    match rng.below(100) {
        _ if organization.id == 1 => name.clone(),
        0..12 => format!("{name}, Inc."),
        12..20 => format!("{name} LLC"),
        20..26 => name.to_uppercase(),
        26..30 => format!("{name} "),
        _ => name.clone(),
    }
}
