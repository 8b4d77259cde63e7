//! What single records and lists say.
use connector_api::{Completeness, PartialReason, VendorError};
use jiff::civil::date;
use kernel::Decimal;
use serde_json::json;

use crate::support::{number, scene};

#[tokio::test]
async fn a_customer_is_the_same_in_the_list_and_alone() {
    let scene = scene(12, 200).await;
    let listed = scene.revio.customers().await.items.remove(0);
    let alone = scene.revio.customer(listed.id).await.unwrap();
    // A number in the list, a text alone.
    assert!(listed.raw.get().contains(r#""customer_id":10007"#), "{}", listed.raw.get());
    assert!(alone.value.raw.get().contains(r#""customer_id":"10007""#), "{}", alone.value.raw.get());
    assert_eq!((alone.value.id, alone.value.company_name.as_deref()), (listed.id, Some("Acme Dental")));
    assert_eq!(alone.value.field("tenant domain"), Some("acmedental.example"));
    assert_eq!((alone.observed_at, alone.request_id.is_some()), (scene.clock.now(), true));
    assert!(listed.activated_at.is_some() && listed.status.as_deref() == Some("OPEN"));
}

#[tokio::test]
async fn products_and_lines_carry_exact_prices() {
    let scene = scene(12, 200).await;
    let products = scene.revio.products().await.items;
    assert!(products.len() >= 4 && products.iter().all(|it| it.active == Some(true)));
    let workstation = scene.revio.product(201).await.unwrap().value;
    assert_eq!(workstation.rate.map(|rate| rate.fixed(2)).as_deref(), Some("55.00"));
    assert!(workstation.raw.get().contains(r#""rate":55.00"#));
    let line = scene.line().await;
    let own = scene.revio.customer_service_products(line.customer_id).await;
    assert!(own.completeness.is_complete() && own.items.iter().any(|it| it.id == line.id));
    assert!(own.items.iter().all(|it| it.customer_id == line.customer_id));
    let alone = scene.revio.service_product(line.id).await.unwrap().value;
    assert_eq!((alone.customer_id, alone.quantity), (line.customer_id, line.quantity));
}

#[tokio::test]
async fn three_months_are_billed_and_every_bill_is_the_sum_of_its_charges() {
    let scene = scene(12, 200).await;
    let bills = scene.revio.bills().await.items;
    assert_eq!(bills.len(), 36);
    let cycles: std::collections::BTreeSet<_> =
        bills.iter().filter_map(|bill| bill.cycle_at).map(|at| at.date()).collect();
    assert_eq!(
        cycles.into_iter().collect::<Vec<_>>(),
        [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
    );
    let charges = scene.revio.charges().await;
    assert!(charges.completeness.is_complete());
    for bill in &bills {
        let own = charges.items.iter().filter(|charge| charge.bill_id == Some(bill.id));
        let sum = own.filter_map(|charge| charge.amount).try_fold(Decimal::ZERO, Decimal::checked_add);
        assert_eq!(sum, bill.amount, "bill {}", bill.id);
    }
    let charge = charges.items.iter().find(|charge| charge.product_id == Some(201)).unwrap();
    assert_eq!(charge.quantity.unwrap().checked_mul(charge.rate.unwrap()), charge.amount);
    assert!(charge.service_product_id.is_some() && charge.start_at.is_some() && charge.end_at.is_some());
    let of_bill = scene.revio.bill_charges(charge.bill_id.unwrap()).await;
    assert!(of_bill.items.iter().any(|it| it.id == charge.id));
    assert!(of_bill.items.iter().all(|it| it.bill_id == charge.bill_id));
    let of_customer = scene.revio.customer_charges(charge.customer_id).await;
    assert!(of_customer.items.len() > of_bill.items.len());
    assert_eq!(scene.revio.customer_bills(charge.customer_id).await.items.len(), 3);
    assert_eq!(scene.revio.bill(bills[0].id).await.unwrap().value.amount, bills[0].amount);
    assert!(bills.iter().any(|bill| bill.amount > Some(number("100"))));
}

#[tokio::test]
async fn payments_name_their_account_and_add_up_to_what_is_paid() {
    let scene = scene(12, 200).await;
    let payments = scene.revio.payments().await;
    assert!(payments.completeness.is_complete() && payments.items.is_sorted_by_key(|it| it.id));
    let sum = |amounts: Vec<Option<Decimal>>| {
        amounts.into_iter().flatten().try_fold(Decimal::ZERO, Decimal::checked_add).unwrap()
    };
    let bills = scene.revio.bills().await.items;
    let (total, left) =
        (sum(bills.iter().map(|it| it.amount).collect()), sum(bills.iter().map(|it| it.balance).collect()));
    let paid = sum(payments.items.iter().map(|it| it.amount).collect());
    // One payment is for nothing that was billed.
    assert_eq!(paid.checked_sub(total.checked_sub(left).unwrap()), Some(number("123.45")));
    assert!(
        bills.iter().any(|it| it.balance > Some(Decimal::ZERO) && it.balance < it.amount),
        "a bill is half paid"
    );
    let first = &payments.items[0];
    let own = scene.revio.customer_payments(first.customer_id).await.items;
    assert!(own.len() < payments.items.len() && own.iter().all(|it| it.customer_id == first.customer_id));
    let alone = scene.revio.payment(first.id).await.unwrap().value;
    assert_eq!((alone.customer_id, alone.amount), (first.customer_id, first.amount));
    assert!(alone.reference.is_some() && alone.created_at.is_some() && alone.status.is_some());
    assert!(alone.raw.get().contains(&format!(r#""customer_id":"{}""#, first.customer_id)));
}

#[tokio::test]
async fn tickets_name_their_account_and_their_end() {
    let scene = scene(12, 200).await;
    let tickets = scene.revio.tickets().await;
    assert!(tickets.completeness.is_complete() && tickets.items.is_sorted_by_key(|it| it.id));
    assert!(tickets.items.len() >= 24 && tickets.items.iter().all(|it| it.created_at.is_some()));
    let is_closed = |it: &&revio::Ticket| it.closed_at.is_some();
    assert!(tickets.items.iter().filter(is_closed).all(|it| it.status.as_deref() == Some("CLOSED")));
    let closed = tickets.items.iter().filter(is_closed).count();
    assert!(closed >= 12 && closed < tickets.items.len(), "some of both");
    let first = &tickets.items[0];
    let own = scene.revio.customer_tickets(first.customer_id).await.items;
    assert!(own.len() < tickets.items.len() && own.iter().all(|it| it.customer_id == first.customer_id));
    // Its ids are numbers in the list, and texts alone.
    let alone = scene.revio.ticket(first.id).await.unwrap().value;
    assert_eq!((alone.id, alone.customer_id, &alone.subject), (first.id, first.customer_id, &first.subject));
    assert!(alone.raw.get().contains(&format!(r#""ticket_id":"{}""#, first.id)));
    assert!(first.raw.get().contains(&format!(r#""ticket_id":{}"#, first.id)));
    assert_eq!(scene.revio.ticket(1).await.unwrap_err(), VendorError::NotFound);
}

#[tokio::test]
async fn tickets_come_page_by_page_and_go_one_by_one() {
    let scene = scene(220, 300).await;
    let before = scene.revio.tickets().await;
    assert!(
        before.completeness.is_complete() && before.pages > 2,
        "{} on {}",
        before.items.len(),
        before.pages
    );
    let (gone, customer) = (before.items[0].id, before.items[0].customer_id);
    let done = before.items.iter().rfind(|it| it.closed_at.is_none()).unwrap().id;
    scene.control("/billing-tickets", json!({"action": "delete", "ticket_id": gone})).await;
    scene.control("/billing-tickets", json!({"action": "close", "ticket_id": done})).await;
    let new = json!({"action": "open", "customer_id": customer, "subject": "One more"});
    let new = scene.control("/billing-tickets", new).await["ticket_id"].as_i64().unwrap();
    assert_eq!(scene.revio.ticket(gone).await.unwrap_err(), VendorError::NotFound);
    assert!(scene.revio.ticket(done).await.unwrap().value.closed_at.is_some());
    let after = scene.revio.tickets().await.items;
    assert_eq!(after.len(), before.items.len());
    let last = after.last().unwrap();
    assert_eq!((last.id, last.customer_id, last.subject.as_deref()), (new, customer, Some("One more")));
    scene
        .control("/billing-tickets", json!({"action": "move", "ticket_id": new, "customer_id": customer + 7}))
        .await;
    assert_eq!(scene.revio.ticket(new).await.unwrap().value.customer_id, customer + 7);
}

#[tokio::test]
async fn a_client_without_tickets_has_no_empty_list_of_them() {
    let scene = scene(2, 10).await;
    scene.control("/settings", json!({"revio_tickets": "elsewhere"})).await;
    let tickets = scene.revio.tickets().await;
    let missing = VendorError::MissingCapability { capability: "/v1/Tickets".into() };
    assert_eq!(tickets.completeness, Completeness::partial(PartialReason::Stopped(missing)));
    assert_eq!((tickets.items.len(), tickets.observed_at), (0, None));
}
