//! The vendor's records, as far as this product reads them, each with the raw record beside it.
use connector_api::VendorError;
use jiff::civil::DateTime;
use kernel::Decimal;
use serde_json::value::RawValue;

use crate::fields::Fields;

/// A record as it was sent, digit by digit. Serialize it to keep it; `get()` is its text.
pub type Raw = Box<RawValue>;

/// A custom field. Its place in the list matters: it is patched by index, not by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomField {
    pub id: Option<i64>,
    pub label: String,
    pub value: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Customer {
    pub id: i64,
    pub parent_id: Option<i64>,
    pub account_number: Option<String>,
    /// Of the billing address, else of the service address: the vendor has no other name.
    pub company_name: Option<String>,
    /// `OPEN`, `CLOSED` and others; the list is not public.
    pub status: Option<String>,
    pub activated_at: Option<DateTime>,
    pub closed_at: Option<DateTime>,
    pub bill_profile_id: Option<i64>,
    pub balance: Option<Decimal>,
    pub fields: Vec<CustomField>,
    pub created_at: Option<DateTime>,
    pub updated_at: Option<DateTime>,
    pub raw: Raw,
}

impl Customer {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let at = Fields::of(&raw)?;
        let company = |address: &str| at.at(address).and_then(|address| address.text("company_name"));
        let finance = at.at("finance");
        Ok(Self {
            id: at.id("customer_id")?,
            parent_id: at.int("parent_customer_id"),
            account_number: at.text("account_number"),
            company_name: company("billing_address").or_else(|| company("service_address")),
            status: at.text("status"),
            activated_at: at.time("activated_date"),
            closed_at: at.time("close_date"),
            bill_profile_id: finance.as_ref().and_then(|finance| finance.int("bill_profile_id")),
            balance: finance.as_ref().and_then(|finance| finance.decimal("balance")),
            fields: custom_fields(&at),
            created_at: at.time("created_date"),
            updated_at: at.time("updated_date"),
            raw: raw.clone(),
        })
    }

    /// The value of the custom field with this label, without regard to case.
    pub fn field(&self, label: &str) -> Option<&str> {
        let found = self.fields.iter().find(|field| field.label.eq_ignore_ascii_case(label));
        found.and_then(|field| field.value.as_deref())
    }
}

fn custom_fields(at: &Fields<'_>) -> Vec<CustomField> {
    let field = |raw: &RawValue| {
        let at = Fields::of(raw).ok()?;
        Some(CustomField { id: at.int("field_id"), label: at.text("label")?, value: at.text("value") })
    };
    at.list("fields").unwrap_or_default().into_iter().filter_map(field).collect()
}

#[derive(Clone, Debug)]
pub struct Product {
    pub id: i64,
    pub type_id: Option<i64>,
    pub description: Option<String>,
    pub code_1: Option<String>,
    pub code_2: Option<String>,
    /// What a new line is sold at; a line has its own.
    pub rate: Option<Decimal>,
    pub cost: Option<Decimal>,
    pub active: Option<bool>,
    pub created_at: Option<DateTime>,
    pub raw: Raw,
}

impl Product {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let at = Fields::of(&raw)?;
        Ok(Self {
            id: at.id("product_id")?,
            type_id: at.int("product_type_id"),
            description: at.text("description"),
            code_1: at.text("code_1"),
            code_2: at.text("code_2"),
            rate: at.decimal("rate"),
            cost: at.decimal("cost"),
            active: at.flag("active"),
            created_at: at.time("created_date"),
            raw: raw.clone(),
        })
    }
}

#[derive(Clone, Debug)]
pub struct Service {
    pub id: i64,
    pub customer_id: i64,
    pub number: Option<String>,
    pub type_id: Option<i64>,
    pub description: Option<String>,
    pub activated_at: Option<DateTime>,
    pub disconnected_at: Option<DateTime>,
    pub raw: Raw,
}

impl Service {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let at = Fields::of(&raw)?;
        Ok(Self {
            id: at.id("service_id")?,
            customer_id: at.id("customer_id")?,
            number: at.text("number"),
            type_id: at.int("service_type_id"),
            description: at.text("description"),
            activated_at: at.time("activated_date"),
            disconnected_at: at.time("disconnected_date"),
            raw: raw.clone(),
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LineStatus {
    Pending,
    Active,
    Denied,
    Disconnected,
    /// A word that the contract does not know, or none.
    Unknown(String),
}

impl LineStatus {
    pub fn parse(text: &str) -> Self {
        match text.to_ascii_uppercase().as_str() {
            "PENDING" => Self::Pending,
            "ACTIVE" => Self::Active,
            "DENIED" => Self::Denied,
            "DISCONNECTED" => Self::Disconnected,
            _ => Self::Unknown(text.to_owned()),
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "PENDING",
            Self::Active => "ACTIVE",
            Self::Denied => "DENIED",
            Self::Disconnected => "DISCONNECTED",
            Self::Unknown(text) => text,
        }
    }
}

/// The subscription line that bills month by month.
#[derive(Clone, Debug)]
pub struct ServiceProduct {
    pub id: i64,
    pub customer_id: i64,
    pub product_id: i64,
    pub service_id: Option<i64>,
    pub description: Option<String>,
    pub code_1: Option<String>,
    pub code_2: Option<String>,
    pub rate: Option<Decimal>,
    pub cost: Option<Decimal>,
    pub quantity: Option<Decimal>,
    pub status: LineStatus,
    pub status_at: Option<DateTime>,
    pub activated_at: Option<DateTime>,
    pub billed_through_at: Option<DateTime>,
    pub canceled_at: Option<DateTime>,
    pub contract_end_at: Option<DateTime>,
    pub created_at: Option<DateTime>,
    /// Not documented for lines; read where it comes.
    pub updated_at: Option<DateTime>,
    pub raw: Raw,
}

impl ServiceProduct {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let at = Fields::of(&raw)?;
        Ok(Self {
            id: at.id("service_product_id")?,
            customer_id: at.id("customer_id")?,
            product_id: at.id("product_id")?,
            service_id: at.int("service_id"),
            description: at.text("description"),
            code_1: at.text("code_1"),
            code_2: at.text("code_2"),
            rate: at.decimal("rate"),
            cost: at.decimal("cost"),
            quantity: at.decimal("quantity"),
            status: LineStatus::parse(&at.text("status").unwrap_or_default()),
            status_at: at.time("status_date"),
            activated_at: at.time("activated_date"),
            billed_through_at: at.time("billed_through_date"),
            canceled_at: at.time("canceled_date"),
            contract_end_at: at.time("contract_end_date"),
            created_at: at.time("created_date"),
            updated_at: at.time("updated_date"),
            raw: raw.clone(),
        })
    }
}

#[derive(Clone, Debug)]
pub struct Bill {
    pub id: i64,
    pub customer_id: i64,
    pub number: Option<String>,
    /// `NORMAL`, `PARENT`, `CHILD`.
    pub kind: Option<String>,
    pub cycle_at: Option<DateTime>,
    pub created_at: Option<DateTime>,
    pub due_at: Option<DateTime>,
    /// `total`, else `amount_due`, else `balance`: the vendor's name for it is not documented. The three may differ
    /// once something was paid; `raw` has what was sent.
    pub amount: Option<Decimal>,
    /// What is left to pay. Absent where the vendor does not say: nothing is guessed from payments, which name no bill.
    pub balance: Option<Decimal>,
    pub raw: Raw,
}

impl Bill {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let at = Fields::of(&raw)?;
        Ok(Self {
            id: at.id("bill_id")?,
            customer_id: at.id("customer_id")?,
            number: at.text("bill_number"),
            kind: at.text("type"),
            cycle_at: at.time("cycle_date"),
            created_at: at.time("created_date"),
            due_at: at.time("due_date"),
            amount: ["total", "amount_due", "balance"].into_iter().find_map(|name| at.decimal(name)),
            balance: at.decimal("balance"),
            raw: raw.clone(),
        })
    }
}

/// Money that came in for an account.
#[derive(Clone, Debug)]
pub struct Payment {
    pub id: i64,
    pub customer_id: i64,
    /// Negative where money went back.
    pub amount: Option<Decimal>,
    /// A check's number, a transfer's: whatever the payer or the processor wrote.
    pub reference: Option<String>,
    /// The list of its words is not public.
    pub status: Option<String>,
    pub created_at: Option<DateTime>,
    pub raw: Raw,
}

impl Payment {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let at = Fields::of(&raw)?;
        Ok(Self {
            id: at.id("payment_id")?,
            customer_id: at.id("customer_id")?,
            amount: at.decimal("amount"),
            reference: at.text("reference_number"),
            status: at.text("status"),
            created_at: at.time("created_date"),
            raw: raw.clone(),
        })
    }
}

/// Names under which the time of a ticket's end may come: no list of its members is public.
const TICKET_CLOSED: [&str; 4] = ["closed_date", "close_date", "completed_date", "resolved_date"];

/// A request of a customer.
#[derive(Clone, Debug)]
pub struct Ticket {
    pub id: i64,
    pub customer_id: i64,
    pub subject: Option<String>,
    /// The list of its words is not public.
    pub status: Option<String>,
    pub created_at: Option<DateTime>,
    pub closed_at: Option<DateTime>,
    pub raw: Raw,
}

impl Ticket {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let at = Fields::of(&raw)?;
        Ok(Self {
            id: at.id("ticket_id")?,
            customer_id: at.id("customer_id")?,
            subject: at.text("subject"),
            status: at.text("status"),
            created_at: at.time("created_date"),
            closed_at: TICKET_CLOSED.into_iter().find_map(|name| at.time(name)),
            raw: raw.clone(),
        })
    }
}

/// One position of a bill.
#[derive(Clone, Debug)]
pub struct Charge {
    pub id: i64,
    pub customer_id: i64,
    /// `None` as long as it is on no bill.
    pub bill_id: Option<i64>,
    pub product_id: Option<i64>,
    pub service_product_id: Option<i64>,
    pub description: Option<String>,
    pub quantity: Option<Decimal>,
    pub rate: Option<Decimal>,
    pub amount: Option<Decimal>,
    pub cost: Option<Decimal>,
    pub tax_amount: Option<Decimal>,
    pub is_prorated: Option<bool>,
    pub start_at: Option<DateTime>,
    pub end_at: Option<DateTime>,
    pub created_at: Option<DateTime>,
    pub raw: Raw,
}

impl Charge {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let at = Fields::of(&raw)?;
        Ok(Self {
            id: at.id("charge_id")?,
            customer_id: at.id("customer_id")?,
            bill_id: at.int("bill_id"),
            product_id: at.int("product_id"),
            service_product_id: at.int("service_product_id"),
            description: at.text("description"),
            quantity: at.decimal("quantity"),
            rate: at.decimal("rate"),
            amount: at.decimal("amount"),
            cost: at.decimal("cost"),
            tax_amount: at.decimal("tax_amount"),
            is_prorated: at.flag("is_prorated"),
            start_at: at.time("start_date"),
            end_at: at.time("end_date"),
            created_at: at.time("created_date"),
            raw: raw.clone(),
        })
    }
}
