//! Lists and single records.
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;

use super::books::{PRODUCTS, Status, product as known_product};
use super::errors::Refusal;
use super::query::Params;
use super::render::{self, IdForm, single};
use super::{Answer, json};
use crate::faults::Tamper;
use crate::server::Shared;

type Host = State<Arc<Shared>>;

pub(crate) fn params(shared: &Shared, uri: &Uri, id_member: &str) -> Result<Params, Refusal> {
    let keys = shared.world().settings.revio_keys;
    Params::read(uri, id_member, keys)
}

pub(crate) fn one(record: Option<String>, what: &str) -> Answer {
    record.map(|record| json(StatusCode::OK, single(&record))).ok_or_else(|| Refusal::not_found(what))
}

pub(crate) fn number(id: &str) -> Result<i64, Refusal> {
    id.parse().map_err(|_| Refusal::bad("The id is not a number"))
}

pub(crate) async fn customers(State(shared): Host, Extension(tamper): Extension<Tamper>, uri: Uri) -> Answer {
    let params = params(&shared, &uri, "customer_id")?;
    let mut world = shared.world();
    let rows = world.books.customers.values().filter(|it| {
        params.wants("customer_id", &it.id.to_string())
            && params.wants("account_number", &it.account_number)
            && params.wants("status", "OPEN")
    });
    let rows: Vec<_> = rows.cloned().collect();
    Ok(params.answer(&mut world, "customers", tamper, &rows, |_, it| render::customer(it, IdForm::Number)))
}

pub(crate) async fn customer(State(shared): Host, Path(id): Path<String>) -> Answer {
    let (id, world) = (number(&id)?, shared.world());
    one(world.books.customers.get(&id).map(|it| render::customer(it, IdForm::Text)), "Customer")
}

pub(crate) async fn services(State(shared): Host, Extension(tamper): Extension<Tamper>, uri: Uri) -> Answer {
    let params = params(&shared, &uri, "service_id")?;
    let mut world = shared.world();
    let rows =
        world.books.services.values().filter(|it| params.wants("customer_id", &it.customer_id.to_string()));
    let rows: Vec<_> = rows.cloned().collect();
    Ok(params.answer(&mut world, "services", tamper, &rows, |_, it| render::service(it)))
}

pub(crate) async fn service(State(shared): Host, Path(id): Path<String>) -> Answer {
    let (id, world) = (number(&id)?, shared.world());
    one(world.books.services.get(&id).map(render::service), "Service")
}

pub(crate) async fn products(State(shared): Host, Extension(tamper): Extension<Tamper>, uri: Uri) -> Answer {
    let params = params(&shared, &uri, "product_id")?;
    let mut world = shared.world();
    let rows: Vec<_> = PRODUCTS.iter().filter(|it| params.wants("product_id", &it.id.to_string())).collect();
    Ok(params.answer(&mut world, "products", tamper, &rows, |_, it| render::product(it)))
}

pub(crate) async fn product(Path(id): Path<String>) -> Answer {
    one(known_product(number(&id)?).map(render::product), "Product")
}

pub(crate) async fn lines(State(shared): Host, Extension(tamper): Extension<Tamper>, uri: Uri) -> Answer {
    let params = params(&shared, &uri, "service_product_id")?;
    let mut world = shared.world();
    let status = |status| if status == Status::Active { "ACTIVE" } else { "DISCONNECTED" };
    let rows = world.books.lines.values().filter(|it| {
        params.wants("customer_id", &it.customer_id.to_string())
            && params.wants("service_id", &it.service_id.to_string())
            && params.wants("product_id", &it.product_id.to_string())
            && params.wants("status", status(it.status))
    });
    let rows: Vec<_> = rows.cloned().collect();
    Ok(params.answer(&mut world, "lines", tamper, &rows, |_, it| render::line(it, IdForm::Number)))
}

pub(crate) async fn line(State(shared): Host, Path(id): Path<String>) -> Answer {
    let (id, world) = (number(&id)?, shared.world());
    one(world.books.lines.get(&id).map(|it| render::line(it, IdForm::Text)), "ServiceProduct")
}

pub(crate) async fn bills(State(shared): Host, Extension(tamper): Extension<Tamper>, uri: Uri) -> Answer {
    let params = params(&shared, &uri, "bill_id")?;
    let mut world = shared.world();
    let rows =
        world.books.bills.values().filter(|it| params.wants("customer_id", &it.customer_id.to_string()));
    let rows: Vec<_> = rows.cloned().collect();
    Ok(params.answer(&mut world, "bills", tamper, &rows, |_, it| render::bill(it, IdForm::Text)))
}

pub(crate) async fn bill(State(shared): Host, Path(id): Path<String>) -> Answer {
    let (id, world) = (number(&id)?, shared.world());
    one(world.books.bills.get(&id).map(|it| render::bill(it, IdForm::Number)), "Bill")
}

pub(crate) async fn charges(State(shared): Host, Extension(tamper): Extension<Tamper>, uri: Uri) -> Answer {
    let params = params(&shared, &uri, "charge_id")?;
    let mut world = shared.world();
    let rows = world.books.charges.values().filter(|it| {
        params.wants("customer_id", &it.customer_id.to_string())
            && params.wants("bill_id", &it.bill_id.map_or_else(String::new, |id| id.to_string()))
    });
    let ids: Vec<i64> = rows.map(|it| it.id).collect();
    let write = |world: &crate::world::World, id: &i64| {
        world.books.charges.get(id).map_or_else(String::new, render::charge)
    };
    let answer: Response = params.answer(&mut world, "charges", tamper, &ids, write);
    Ok(answer)
}

pub(crate) async fn payments(State(shared): Host, Extension(tamper): Extension<Tamper>, uri: Uri) -> Answer {
    let params = params(&shared, &uri, "payment_id")?;
    let mut world = shared.world();
    let rows =
        world.books.payments.values().filter(|it| params.wants("customer_id", &it.customer_id.to_string()));
    let rows: Vec<_> = rows.cloned().collect();
    Ok(params.answer(&mut world, "payments", tamper, &rows, |_, it| render::payment(it, IdForm::Number)))
}

pub(crate) async fn payment(State(shared): Host, Path(id): Path<String>) -> Answer {
    let (id, world) = (number(&id)?, shared.world());
    one(world.books.payments.get(&id).map(|it| render::payment(it, IdForm::Text)), "Payment")
}
