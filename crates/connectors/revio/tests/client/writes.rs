//! Changing lines: what is sent, what it comes to, and what is never sent twice.
use connector_api::{Call, VendorError};
use jiff::civil::{Date, date};
use kernel::Decimal;
use revio::{LineStatus, NewLine, Proration};
use serde_json::json;

use crate::support::{number, scene};

fn today() -> Date {
    date(2026, 3, 10)
}

#[tokio::test]
async fn a_quantity_is_changed_and_everything_else_stays() {
    let scene = scene(12, 200).await;
    let line = scene.line().await;
    let wanted = line.quantity.unwrap().checked_add(Decimal::ONE).unwrap();
    let write = scene.revio.change_line_quantity(line.id, wanted, today(), Proration::Skip).await.unwrap();
    assert!(write.request_id.is_some());
    assert_eq!((write.before.quantity, write.answered_at), (line.quantity, scene.clock.now()));
    let after = scene.revio.service_product(line.id).await.unwrap().value;
    assert_eq!((after.quantity, after.status), (Some(wanted), LineStatus::Active));
    assert_eq!((after.rate, after.cost, after.description), (line.rate, line.cost, line.description));
    assert_eq!((after.activated_at, after.service_id), (line.activated_at, line.service_id));
    assert!(after.updated_at > line.updated_at);
}

#[tokio::test]
async fn the_next_months_bill_carries_the_new_quantity() {
    let scene = scene(12, 200).await;
    let line = scene.line().await;
    scene.revio.change_line_quantity(line.id, number("77"), today(), Proration::Skip).await.unwrap();
    let before = scene.revio.customer_bills(line.customer_id).await.items;
    scene.advance_days(30).await;
    let after = scene.revio.customer_bills(line.customer_id).await.items;
    assert_eq!(after.len(), before.len() + 1);
    let bill = after.last().unwrap();
    assert_eq!(bill.cycle_at.unwrap().date(), date(2026, 4, 1));
    let charges = scene.revio.bill_charges(bill.id).await.items;
    let charge = charges.iter().find(|charge| charge.service_product_id == Some(line.id)).unwrap();
    assert_eq!((charge.quantity, charge.rate), (Some(number("77")), line.rate));
    assert_eq!(charge.amount, line.rate.unwrap().checked_mul(number("77")));
    let sum = charges.iter().filter_map(|charge| charge.amount).try_fold(Decimal::ZERO, Decimal::checked_add);
    assert_eq!(sum, bill.amount);
}

#[tokio::test]
async fn digits_that_a_float_would_lose_come_back() {
    let scene = scene(12, 200).await;
    let line = scene.line().await;
    let body = format!(
        r#"{{"product_id":201,"service_id":{},"rate":123456789012.123456,"cost":0.1,"quantity":0.3,"generate_proration":false}}"#,
        line.service_id.unwrap()
    );
    let call = Call::put(format!("/revio/v1/ServiceProduct/{}", line.id)).json_text(body);
    assert_eq!(scene.raw(call).await.unwrap().status, 200);
    let read = scene.revio.service_product(line.id).await.unwrap().value;
    assert_eq!(read.rate.unwrap().to_string(), "123456789012.123456");
    let three = number("0.1").checked_add(number("0.2"));
    assert_eq!((read.quantity, read.cost), (three, Some(number("0.1"))));
    // The replacement of the client carries the same digits back.
    scene.revio.change_line_quantity(line.id, number("2"), today(), Proration::Skip).await.unwrap();
    let read = scene.revio.service_product(line.id).await.unwrap().value;
    assert_eq!(read.rate.unwrap().to_string(), "123456789012.123456");
}

#[tokio::test]
async fn proration_is_booked_only_when_asked_for() {
    let scene = scene(12, 200).await;
    let line = scene.line().await;
    let count = scene.revio.customer_charges(line.customer_id).await.items.len();
    let more = line.quantity.unwrap().checked_add(Decimal::ONE).unwrap();
    scene.revio.change_line_quantity(line.id, more, today(), Proration::Skip).await.unwrap();
    assert_eq!(scene.revio.customer_charges(line.customer_id).await.items.len(), count);
    let more = more.checked_add(Decimal::ONE).unwrap();
    scene.revio.change_line_quantity(line.id, more, today(), Proration::Generate).await.unwrap();
    let charges = scene.revio.customer_charges(line.customer_id).await.items;
    let prorated = charges.last().unwrap();
    assert_eq!((charges.len(), prorated.is_prorated, prorated.bill_id), (count + 1, Some(true), None));
    assert_eq!(prorated.quantity, Some(Decimal::ONE));
}

#[tokio::test]
async fn a_line_is_disconnected_once_and_bills_no_more() {
    let scene = scene(12, 200).await;
    let line = scene.line().await;
    scene.revio.disconnect_line(line.id, today(), Proration::Skip).await.unwrap();
    let after = scene.revio.service_product(line.id).await.unwrap().value;
    assert_eq!((after.status, after.canceled_at.unwrap().date()), (LineStatus::Disconnected, today()));
    let again = scene.revio.disconnect_line(line.id, today(), Proration::Skip).await.unwrap_err();
    assert!(matches!(again, VendorError::Rejected { status: 400, .. }), "{again}");
    let change = scene.revio.change_line_quantity(line.id, Decimal::ONE, today(), Proration::Skip).await;
    assert!(matches!(change, Err(VendorError::Misconfigured { .. })));
    scene.advance_days(30).await;
    let bill = scene.revio.customer_bills(line.customer_id).await.items.pop().unwrap();
    assert_eq!(bill.cycle_at.unwrap().date(), date(2026, 4, 1));
    let charges = scene.revio.bill_charges(bill.id).await.items;
    assert!(charges.iter().all(|charge| charge.service_product_id != Some(line.id)));
}

#[tokio::test]
async fn a_missing_line_is_made_on_the_customers_service() {
    let scene = scene(12, 200).await;
    let customer = scene.line().await.customer_id;
    let service = scene.revio.customer_services(customer).await.items.remove(0);
    assert_eq!(scene.revio.service(service.id).await.unwrap().value.customer_id, customer);
    let count = scene.revio.customer_service_products(customer).await.items.len();
    let line = NewLine {
        customer_id: customer,
        service_id: service.id,
        product_id: 202,
        quantity: number("3"),
        rate: Some(number("125.10")),
        effective_on: today(),
        proration: Proration::Skip,
    };
    let id = scene.revio.create_line(&line).await.unwrap().value;
    let made = scene.revio.service_product(id).await.unwrap().value;
    assert_eq!((made.customer_id, made.product_id, made.status), (customer, 202, LineStatus::Active));
    assert_eq!((made.quantity, made.rate), (Some(number("3")), Some(number("125.1"))));
    assert_eq!(made.activated_at.unwrap().date(), today());
    assert_eq!(scene.revio.customer_service_products(customer).await.items.len(), count + 1);
    // A cut answer leaves a line behind: looking among the customer's finds it.
    scene.fault(json!({"kind": "dropped_connection", "method": "POST"})).await;
    assert!(scene.revio.create_line(&line).await.unwrap_err().may_have_been_applied());
    assert_eq!(scene.revio.customer_service_products(customer).await.items.len(), count + 2);
    let unknown = NewLine { service_id: 1, ..line };
    assert!(matches!(
        scene.revio.create_line(&unknown).await,
        Err(VendorError::Rejected { status: 400, .. })
    ));
}

#[tokio::test]
async fn a_write_is_sent_once_whatever_happens() {
    let scene = scene(12, 200).await;
    let line = scene.line().await;
    for fault in [
        json!({"kind": "server_error", "method": "PUT", "times": 9}),
        json!({"kind": "too_many_requests", "method": "PUT", "times": 9}),
        json!({"kind": "dropped_connection", "method": "PUT", "times": 9}),
        json!({"kind": "not_ok", "method": "PUT", "times": 9}),
    ] {
        let is_throttled = fault["kind"] == "too_many_requests";
        let is_refused = fault["kind"] == "not_ok";
        scene.fault(fault.clone()).await;
        let error = scene
            .revio
            .change_line_quantity(line.id, number("5"), today(), Proration::Skip)
            .await
            .unwrap_err();
        assert_eq!(error.may_have_been_applied(), !is_throttled && !is_refused, "{fault}: {error}");
        let left = scene
            .control(
                "/faults",
                json!({"kind": "slow", "delay_ms": 0, "vendor": "revio", "path_prefix": "/none"}),
            )
            .await;
        assert_eq!(left["waiting"], 9, "{fault}: eight of nine are left, and the probe");
        scene.clear_faults().await;
    }
    // The cut answer came after the change: reading tells.
    let after = scene.revio.service_product(line.id).await.unwrap().value;
    assert_eq!(after.quantity, Some(number("5")));
}

#[tokio::test]
async fn a_success_that_changed_nothing_is_seen_by_reading() {
    let scene = scene(12, 200).await;
    let line = scene.line().await;
    scene.fault(json!({"kind": "lying_success"})).await;
    scene.revio.change_line_quantity(line.id, number("91"), today(), Proration::Skip).await.unwrap();
    assert_eq!(scene.revio.service_product(line.id).await.unwrap().value.quantity, line.quantity);
}

#[tokio::test]
async fn the_contract_is_checked() {
    let scene = scene(12, 200).await;
    let line = scene.line().await;
    let path = format!("/revio/v1/ServiceProduct/{}", line.id);
    let service = line.service_id.unwrap();
    for (body, fault) in [
        (json!({"product_id": 201, "service_id": service}), "generate_proration is required"),
        (json!({"generate_proration": true}), "product_id is required"),
        (
            json!({"product_id": 201, "service_id": service, "generate_proration": true, "status": "DISCONNECTED"}),
            "DISCONNECTED here",
        ),
        (
            json!({"product_id": 201, "service_id": service, "generate_proration": true, "status": "ACTIVE", "quantity": 2}),
            "together with status",
        ),
        (
            json!({"product_id": 201, "service_id": service, "generate_proration": true, "quantity": -2}),
            "quantity is not valid",
        ),
    ] {
        let answer = scene.raw(Call::put(path.clone()).json(body.clone())).await.unwrap();
        let text = String::from_utf8(answer.body).unwrap();
        assert!(answer.status == 400 && text.starts_with('[') && text.contains(fault), "{body}: {text}");
    }
    // What a replacement leaves out is gone: the client sends everything.
    let bare = json!({"product_id": 201, "service_id": service, "generate_proration": false});
    assert_eq!(scene.raw(Call::put(path).json(bare)).await.unwrap().status, 200);
    assert_eq!(scene.revio.service_product(line.id).await.unwrap().value.quantity, Some(Decimal::ONE));
    assert_eq!(scene.raw(Call::get("/revio/v1/ServiceProducts")).await.unwrap().status, 404);
    assert_eq!(
        scene.raw(Call::get("/revio/v1/Customers").query("search.page_size", 501)).await.unwrap().status,
        400
    );
}
