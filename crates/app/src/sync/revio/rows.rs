//! The vendor's records as rows of ours. Its times have no zone and are kept as if they were UTC.
use ::revio::{Bill, Charge, LineStatus, Payment, Product, Raw, ServiceProduct, Ticket};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Value, value::RawValue};
use store::{
    billing::{BillRow, ChargeRow, LineRow, PaymentRow, ProductRow, TicketRow},
    devices::ContentHash,
};

use crate::sync::device_row::{content_hash, text, without_nul};

/// Rev.io names a currency on products only, and rarely.
pub(super) const CURRENCY_DEFAULT: &str = "USD";

pub(super) fn product(product: &Product) -> ProductRow {
    let named = product.description.as_deref().map(text).filter(|name| !name.trim().is_empty());
    let (raw, content_hash, value) = kept(&product.raw);
    ProductRow {
        external_id: product.id.to_string(),
        name: named.unwrap_or_else(|| format!("Product {}", product.id)),
        code: product.code_1.as_deref().map(text),
        rate: product.rate,
        currency: currency(&value),
        is_active: product.active != Some(false),
        raw,
        content_hash,
    }
}

/// `None`: the vendor does not say how many it bills, so that nothing can be made of it.
pub(super) fn line(line: &ServiceProduct, currency: &str) -> Option<LineRow> {
    let quantity = line.quantity?;
    let named = line.description.as_deref().map(text).filter(|name| !name.trim().is_empty());
    let (raw, content_hash, _) = kept(&line.raw);
    let is_off = line.status == LineStatus::Disconnected;
    Some(LineRow {
        external_id: line.id.to_string(),
        account_ref: line.customer_id.to_string(),
        product_ref: line.product_id.to_string(),
        name: named.unwrap_or_else(|| format!("Line {}", line.id)),
        quantity,
        rate: line.rate,
        cost: line.cost,
        currency: currency.to_owned(),
        status: text(line.status.as_str()).to_lowercase(),
        is_active: line.status == LineStatus::Active,
        activated_at: time(line.activated_at.or(line.created_at)),
        billed_through_at: time(line.billed_through_at),
        contract_end_at: time(line.contract_end_at),
        disconnected_at: time(line.canceled_at.or(line.status_at)).filter(|_| is_off),
        updated_at: time(line.updated_at),
        raw,
        content_hash,
    })
}

/// `None`: a bill without a time proves nothing.
pub(super) fn bill(bill: &Bill) -> Option<BillRow> {
    let billed_at = time(bill.created_at.or(bill.cycle_at))?;
    let (raw, content_hash, _) = kept(&bill.raw);
    Some(BillRow {
        external_id: bill.id.to_string(),
        account_ref: bill.customer_id.to_string(),
        number: bill.number.as_deref().map(text),
        billed_at,
        due_at: time(bill.due_at),
        total_amount: bill.amount,
        open_amount: bill.balance,
        currency: CURRENCY_DEFAULT.to_owned(),
        raw,
        content_hash,
    })
}

/// `None`: without an amount.
pub(super) fn payment(payment: &Payment) -> Option<PaymentRow> {
    let (raw, content_hash, _) = kept(&payment.raw);
    Some(PaymentRow {
        external_id: payment.id.to_string(),
        account_ref: payment.customer_id.to_string(),
        reference: payment.reference.as_deref().map(text),
        amount: payment.amount?,
        currency: CURRENCY_DEFAULT.to_owned(),
        status: payment.status.as_deref().map(|status| text(status).to_lowercase()),
        paid_at: time(payment.created_at),
        raw,
        content_hash,
    })
}

pub(super) fn ticket(ticket: &Ticket) -> TicketRow {
    let (raw, content_hash, _) = kept(&ticket.raw);
    TicketRow {
        external_id: ticket.id.to_string(),
        account_ref: ticket.customer_id.to_string(),
        subject: ticket.subject.as_deref().map(text),
        status: ticket.status.as_deref().map(|status| text(status).to_lowercase()),
        opened_at: time(ticket.created_at),
        closed_at: time(ticket.closed_at),
        raw,
        content_hash,
    }
}

/// `None`: not on a bill, or without an amount.
pub(super) fn charge(charge: &Charge) -> Option<ChargeRow> {
    let named = charge.description.as_deref().map(text).filter(|name| !name.trim().is_empty());
    Some(ChargeRow {
        external_id: charge.id.to_string(),
        bill_ref: charge.bill_id?.to_string(),
        line_ref: charge.service_product_id.map(|id| id.to_string()),
        product_ref: charge.product_id.map(|id| id.to_string()),
        name: named.unwrap_or_else(|| format!("Charge {}", charge.id)),
        quantity: charge.quantity,
        rate: charge.rate,
        amount: charge.amount?,
        currency: CURRENCY_DEFAULT.to_owned(),
        period_start_at: time(charge.start_at),
        period_end_at: time(charge.end_at),
        is_prorated: charge.is_prorated == Some(true),
    })
}

fn currency(raw: &Value) -> String {
    let code = raw["currency_code"].as_str().unwrap_or_default().trim().to_ascii_uppercase();
    let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_code { code } else { CURRENCY_DEFAULT.to_owned() }
}

fn time(at: Option<DateTime>) -> Option<Timestamp> {
    at.and_then(|at| at.to_zoned(TimeZone::UTC).ok()).map(|at| at.timestamp())
}

/// The record with every digit that was sent, unless it holds the one character that PostgreSQL cannot keep.
fn kept(raw: &Raw) -> (Box<RawValue>, ContentHash, Value) {
    let value: Value = serde_json::from_str(raw.get()).unwrap_or_default();
    let hash = content_hash(&value);
    let value = without_nul(value);
    let text = if raw.get().contains("\\u0000") { value.to_string() } else { raw.get().to_owned() };
    let raw = RawValue::from_string(text).unwrap_or_else(|_| raw.clone());
    (raw, hash, value)
}
