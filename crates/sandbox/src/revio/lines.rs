//! Writing lines: a new one, a replacement, an end. What a replacement leaves out falls back to its default.
use std::collections::HashMap;
use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use jiff::civil::{Date, DateTime};
use kernel::Decimal;
use serde_json::value::RawValue;

use super::books::{Line, LineFlags, Status, cents, local, product};
use super::errors::Refusal;
use super::{Answer, created, ok};
use crate::faults::Tamper;
use crate::rng::Rng;
use crate::server::Shared;

type Host = State<Arc<Shared>>;

/// A body's members by the text they were sent in, and what is wrong with them.
struct Body {
    members: HashMap<String, Box<RawValue>>,
    faults: Vec<String>,
}

impl Body {
    fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let members =
            serde_json::from_slice(bytes).map_err(|_| Refusal::bad("The body is not a JSON object"))?;
        Ok(Self { members, faults: Vec::new() })
    }

    fn raw(&self, name: &str) -> Option<&str> {
        self.members.get(name).map(|raw| raw.get()).filter(|raw| *raw != "null")
    }

    /// A member that is of another form than the contract's is a fault; one that is absent is not.
    fn get<T>(&mut self, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let raw = self.raw(name)?;
        let value = read(raw);
        if value.is_none() {
            self.faults.push(format!("{name} is not valid"));
        }
        value
    }

    fn int(&mut self, name: &str) -> Option<i64> {
        self.get(name, |raw| raw.trim_matches('"').parse().ok())
    }

    fn decimal(&mut self, name: &str) -> Option<Decimal> {
        self.get(name, |raw| raw.parse::<Decimal>().ok().filter(|number| !number.is_negative()))
    }

    fn flag(&mut self, name: &str) -> Option<bool> {
        self.get(name, |raw| raw.parse().ok())
    }

    fn text(&mut self, name: &str) -> Option<String> {
        self.get(name, |raw| serde_json::from_str(raw).ok())
    }

    fn time(&mut self, name: &str) -> Option<DateTime> {
        self.get(name, |raw| serde_json::from_str::<String>(raw).ok()?.parse().ok())
    }

    fn need<T>(&mut self, name: &str, value: Option<T>) -> Option<T> {
        if value.is_none() && self.raw(name).is_none() {
            self.faults.push(format!("{name} is required"));
        }
        value
    }

    fn check(&self) -> Result<(), Refusal> {
        if self.faults.is_empty() { Ok(()) } else { Err(Refusal::invalid(&self.faults)) }
    }
}

struct Write {
    product_id: i64,
    service_id: i64,
    rate: Option<Decimal>,
    cost: Option<Decimal>,
    quantity: Option<Decimal>,
    description: Option<String>,
    effective: Option<DateTime>,
    activated: Option<DateTime>,
    generates_proration: bool,
    flags: LineFlags,
}

fn read_write(bytes: &[u8]) -> Result<Write, Refusal> {
    let mut body = Body::read(bytes)?;
    let (product_id, service_id) = (body.int("product_id"), body.int("service_id"));
    let proration = body.flag("generate_proration");
    let product_id = body.need("product_id", product_id);
    let service_id = body.need("service_id", service_id);
    let proration = body.need("generate_proration", proration);
    let write = Write {
        product_id: product_id.unwrap_or(0),
        service_id: service_id.unwrap_or(0),
        rate: body.decimal("rate"),
        cost: body.decimal("cost"),
        quantity: body.decimal("quantity"),
        description: body.text("description"),
        effective: body.time("effective_date"),
        activated: body.time("activated_date"),
        generates_proration: proration.unwrap_or(false),
        flags: LineFlags {
            tax_included: body.flag("tax_included").unwrap_or(false),
            group_on_bill: body.flag("group_on_bill").unwrap_or(false),
            itemized: body.flag("itemized").unwrap_or(false),
        },
    };
    if write.description.as_ref().is_some_and(|text| text.chars().count() > 500) {
        body.faults.push("description is longer than 500 characters".into());
    }
    if let Some(status) = body.text("status") {
        let fault = match status.as_str() {
            "DISCONNECTED" => "status cannot be set to DISCONNECTED here",
            _ if write.rate.is_some() || write.quantity.is_some() => {
                "rate and quantity cannot be changed together with status"
            }
            _ => "status cannot be changed",
        };
        body.faults.push(fault.into());
    }
    body.check()?;
    Ok(write)
}

/// `PUT /ServiceProduct/{id}`
pub(crate) async fn replace(
    State(shared): Host,
    Extension(tamper): Extension<Tamper>,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Answer {
    let id: i64 = id.parse().map_err(|_| Refusal::bad("The id is not a number"))?;
    let write = read_write(&bytes)?;
    let now = local(shared.now());
    let mut world = shared.world();
    let old = world.books.lines.get(&id).cloned().ok_or_else(|| Refusal::not_found("ServiceProduct"))?;
    let known = product(write.product_id).ok_or_else(|| Refusal::bad("product_id is not known"))?;
    if old.status == Status::Disconnected {
        return Err(Refusal::bad("The line is disconnected"));
    }
    if write.service_id != old.service_id {
        return Err(Refusal::bad("service_id belongs to another line"));
    }
    if tamper == Tamper::Lie {
        return Ok(ok());
    }
    let line = Line {
        product_id: known.id,
        rate: write.rate.unwrap_or_else(|| cents(known.rate_cents)),
        cost: write.cost.unwrap_or_else(|| cents(known.cost_cents)),
        quantity: write.quantity.unwrap_or(Decimal::ONE),
        description: write.description.unwrap_or_else(|| known.description.to_owned()),
        activated: write.activated.unwrap_or(now),
        changed: now,
        flags: write.flags,
        ..old.clone()
    };
    let difference = line.quantity.checked_sub(old.quantity).unwrap_or_default();
    if write.generates_proration && !difference.is_zero() {
        world.books.prorate(&line, difference, day(write.effective, now));
    }
    world.books.lines.insert(id, line);
    Ok(ok())
}

/// `POST /ServiceProduct`
pub(crate) async fn create(State(shared): Host, bytes: Bytes) -> Answer {
    let write = read_write(&bytes)?;
    let now = shared.now();
    let mut world = shared.world();
    let known = product(write.product_id).ok_or_else(|| Refusal::bad("product_id is not known"))?;
    let service = world.books.services.get(&write.service_id).cloned();
    let service = service.ok_or_else(|| Refusal::bad("service_id is not known"))?;
    let quantity = write.quantity.unwrap_or(Decimal::ONE);
    let id = world.books.add_line(known, service.customer_id, quantity, now, &mut Rng::of(0, 0));
    let activated = write.activated.or(write.effective).unwrap_or_else(|| local(now));
    if let Some(line) = world.books.lines.get_mut(&id) {
        line.activated = activated;
        line.changed = local(now);
        line.flags = write.flags;
        line.rate = write.rate.unwrap_or(line.rate);
        line.cost = write.cost.unwrap_or(line.cost);
        line.description = write.description.unwrap_or_else(|| line.description.clone());
    }
    let line = world.books.lines.get(&id).cloned();
    if let Some(line) = line.filter(|_| write.generates_proration) {
        world.books.prorate(&line, line.quantity, day(Some(activated), local(now)));
    }
    Ok(created("ServiceProduct", id))
}

/// `DELETE /ServiceProduct`, with a body.
pub(crate) async fn disconnect(
    State(shared): Host,
    Extension(tamper): Extension<Tamper>,
    bytes: Bytes,
) -> Answer {
    let mut body = Body::read(&bytes)?;
    let (id, effective) = (body.int("service_product_id"), body.time("effective_date"));
    let proration = body.flag("generate_proration");
    let id = body.need("service_product_id", id);
    let effective = body.need("effective_date", effective);
    let proration = body.need("generate_proration", proration);
    body.check()?;
    let (Some(id), Some(effective), Some(proration)) = (id, effective, proration) else {
        return Err(Refusal::bad("The body is not complete"));
    };
    let now = local(shared.now());
    let mut world = shared.world();
    let line = world.books.lines.get_mut(&id).ok_or_else(|| Refusal::not_found("ServiceProduct"))?;
    if line.status == Status::Disconnected {
        return Err(Refusal::bad("The line is disconnected already"));
    }
    if tamper == Tamper::Lie {
        return Ok(ok());
    }
    line.status = Status::Disconnected;
    line.canceled = Some(effective);
    line.changed = now;
    let line = line.clone();
    if proration {
        let back = Decimal::ZERO.checked_sub(line.quantity).unwrap_or_default();
        world.books.prorate(&line, back, effective.date());
    }
    Ok(ok())
}

fn day(effective: Option<DateTime>, now: DateTime) -> Date {
    effective.unwrap_or(now).date()
}
