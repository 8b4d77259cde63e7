//! Records as the vendor writes them. Amounts keep their digits; a customer's id is a number in one answer and a text
//! in another.
use jiff::civil::{Date, DateTime};
use kernel::Decimal;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::books::{Bill, Charge, Customer, Line, Payment, Product, Service, Status};
use super::tickets::Ticket;

/// How an id is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdForm {
    Number,
    Text,
}

#[derive(Debug)]
struct Id(i64, IdForm);

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.1 {
            IdForm::Number => serializer.serialize_i64(self.0),
            IdForm::Text => serializer.collect_str(&self.0),
        }
    }
}

/// A number with the digits it has, and with at least two behind the point where it is money.
#[derive(Debug)]
enum Num {
    Money(Decimal),
    Plain(Decimal),
}

impl Serialize for Num {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = match self {
            Self::Money(number) if number.rounded(2) == *number => number.fixed(2),
            Self::Money(number) | Self::Plain(number) => number.to_string(),
        };
        RawValue::from_string(text).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

/// One record as the only thing in an answer.
pub(crate) fn single(record: &str) -> String {
    let members = record.strip_prefix('{').unwrap_or(record);
    format!(r#"{{"ok":true,"links":[{{"rel":"self","href":""}}],{members}"#)
}

fn text(record: &impl Serialize) -> String {
    serde_json::to_string(record).unwrap_or_else(|_| "{}".to_owned())
}

fn time(at: DateTime) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

fn midnight(day: Date) -> String {
    time(DateTime::from(day))
}

pub(crate) fn customer(it: &Customer, form: IdForm) -> String {
    let field = |(index, (label, value)): (usize, &(&str, Option<String>))| json!({"field_id": 31 + index, "label": label, "value": value});
    let address = json!({
        "address_id": it.id + 1_000, "first_name": null, "last_name": null, "company_name": it.company_name,
        "line_1": "1 Main Street", "city": "Springfield", "state_or_province": "GA", "postal_code": "30301", "country_code": 235,
    });
    let id = match form {
        IdForm::Number => json!(it.id),
        IdForm::Text => json!(it.id.to_string()),
    };
    json!({
        "customer_id": id,
        "parent_customer_id": null,
        "status": "OPEN",
        "account_number": it.account_number,
        "activated_date": time(it.activated),
        "close_date": null,
        "billing_address": address,
        "service_address": address,
        "finance": {"balance": 0, "bill_profile_id": 1, "cycle_date": null, "tax_exempt_enabled": false},
        "agent_id": null,
        "fields": it.fields.iter().enumerate().map(field).collect::<Vec<Value>>(),
        "created_date": time(it.activated),
        "updated_date": time(it.updated),
    })
    .to_string()
}

pub(crate) fn service(it: &Service) -> String {
    json!({
        "service_id": it.id, "customer_id": it.customer_id, "number": it.number, "service_type_id": 4, "provider_id": 1,
        "activated_date": time(it.activated), "disconnected_date": null, "description": "Managed services", "fields": [],
    })
    .to_string()
}

pub(crate) fn product(it: &Product) -> String {
    #[derive(Serialize)]
    struct Record<'a> {
        product_id: i64,
        product_type_id: i64,
        description: &'a str,
        code_1: &'a str,
        code_2: Option<&'a str>,
        rate: Num,
        cost: Num,
        created_date: &'a str,
        active: bool,
        creates_order: bool,
        provider_id: i64,
        bills_in_arrears: bool,
        prorates: bool,
        currency_code: &'a str,
        fields: [(); 0],
    }
    text(&Record {
        product_id: it.id,
        product_type_id: 7,
        description: it.description,
        code_1: it.code,
        code_2: None,
        rate: Num::Money(super::books::cents(it.rate_cents)),
        cost: Num::Money(super::books::cents(it.cost_cents)),
        created_date: "2020-01-02T09:30:00",
        active: true,
        creates_order: false,
        provider_id: 1,
        bills_in_arrears: false,
        prorates: true,
        currency_code: "USD",
        fields: [],
    })
}

pub(crate) fn line(it: &Line, form: IdForm) -> String {
    #[derive(Serialize)]
    struct Record<'a> {
        service_product_id: i64,
        customer_id: Id,
        product_id: i64,
        package_id: Option<i64>,
        service_id: i64,
        description: &'a str,
        code_1: Option<&'a str>,
        code_2: Option<&'a str>,
        rate: Num,
        cost: Num,
        quantity: Num,
        status: &'a str,
        status_date: String,
        activated_date: String,
        billed_through_date: Option<String>,
        canceled_date: Option<String>,
        contract_end_date: Option<String>,
        created_date: String,
        updated_date: String,
        tax_included: bool,
        group_on_bill: bool,
        itemized: bool,
    }
    text(&Record {
        service_product_id: it.id,
        customer_id: Id(it.customer_id, form),
        product_id: it.product_id,
        package_id: None,
        service_id: it.service_id,
        description: &it.description,
        code_1: super::books::product(it.product_id).map(|product| product.code),
        code_2: None,
        rate: Num::Money(it.rate),
        cost: Num::Money(it.cost),
        quantity: Num::Plain(it.quantity),
        status: match it.status {
            Status::Active => "ACTIVE",
            Status::Disconnected => "DISCONNECTED",
        },
        status_date: time(it.canceled.unwrap_or(it.activated)),
        activated_date: time(it.activated),
        billed_through_date: it.billed_through.map(time),
        canceled_date: it.canceled.map(time),
        contract_end_date: it.contract_end.map(time),
        created_date: time(it.activated),
        updated_date: time(it.changed),
        tax_included: it.flags.tax_included,
        group_on_bill: it.flags.group_on_bill,
        itemized: it.flags.itemized,
    })
}

pub(crate) fn bill(it: &Bill, form: IdForm) -> String {
    #[derive(Serialize)]
    struct Record<'a> {
        bill_id: i64,
        customer_id: Id,
        bill_number: String,
        r#type: &'a str,
        cycle_date: String,
        created_date: String,
        due_date: String,
        amount_due: Num,
        balance: Num,
        total: Num,
    }
    text(&Record {
        bill_id: it.id,
        customer_id: Id(it.customer_id, form),
        bill_number: format!("INV-{}", it.id),
        r#type: "NORMAL",
        cycle_date: midnight(it.cycle),
        created_date: midnight(it.cycle),
        due_date: midnight(it.cycle.saturating_add(jiff::Span::new().days(30))),
        amount_due: Num::Money(it.total),
        balance: Num::Money(it.total.checked_sub(it.paid).unwrap_or(it.total)),
        total: Num::Money(it.total),
    })
}

pub(crate) fn charge(it: &Charge) -> String {
    #[derive(Serialize)]
    struct Record<'a> {
        charge_id: i64,
        product_id: i64,
        product_type_id: i64,
        customer_id: Id,
        bill_id: Option<i64>,
        service_id: i64,
        service_product_id: i64,
        is_tax_included: bool,
        description: &'a str,
        amount: Num,
        cost: Num,
        tax_amount: Num,
        quantity: Num,
        rate: Num,
        is_prorated: bool,
        created_date: String,
        start_date: String,
        end_date: String,
    }
    text(&Record {
        charge_id: it.id,
        product_id: it.product_id,
        product_type_id: 7,
        customer_id: Id(it.customer_id, IdForm::Text),
        bill_id: it.bill_id,
        service_id: it.service_id,
        service_product_id: it.line_id,
        is_tax_included: false,
        description: &it.description,
        amount: Num::Money(it.amount),
        cost: Num::Money(it.cost),
        tax_amount: Num::Money(Decimal::ZERO),
        quantity: Num::Plain(it.quantity),
        rate: Num::Money(it.rate),
        is_prorated: it.is_prorated,
        created_date: time(it.created),
        start_date: midnight(it.start),
        end_date: midnight(it.end),
    })
}

/// It does not say which bill it settles.
pub(crate) fn payment(it: &Payment, form: IdForm) -> String {
    #[derive(Serialize)]
    struct Record<'a> {
        payment_id: i64,
        customer_id: Id,
        amount: Num,
        reference_number: &'a str,
        created_date: String,
        status: &'a str,
    }
    text(&Record {
        payment_id: it.id,
        customer_id: Id(it.customer_id, form),
        amount: Num::Money(it.amount),
        reference_number: &it.reference,
        created_date: time(it.created),
        status: "APPROVED",
    })
}

/// The contract knows no name for the end of one; an unknown member is the vendor's right.
pub(crate) fn ticket(it: &Ticket, form: IdForm) -> String {
    #[derive(Serialize)]
    struct Record<'a> {
        ticket_id: Id,
        customer_id: Id,
        status: &'a str,
        subject: Option<&'a str>,
        description: Option<&'a str>,
        created_date: String,
        closed_date: Option<String>,
    }
    text(&Record {
        ticket_id: Id(it.id, form),
        customer_id: Id(it.customer_id, form),
        status: it.status(),
        subject: it.subject.as_deref(),
        description: None,
        created_date: time(it.opened),
        closed_date: it.closed.map(time),
    })
}
