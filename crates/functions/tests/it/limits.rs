//! How often, how much, and by which method.
use axum::http::Method;
use functions::RateClass;
use jiff::SignedDuration;
use kernel::ErrorCode;
use serde_json::json;
use uuid::Uuid;

use crate::api::{Api, MustFail as _, mark};

#[tokio::test]
async fn a_person_who_calls_too_often_waits_and_nothing_is_done() {
    let api = Api::new().await;
    let id = Uuid::now_v7();
    let burst = usize::try_from(RateClass::Sync.per_user().burst).expect("small");
    for _ in 0..burst {
        assert_eq!(api.count(&api.owner, id, "answer", None).await.status, 200);
    }
    let refused = api.count(&api.owner, id, "answer", None).await;
    refused.must_fail(ErrorCode::TooMany);
    let wait: i64 = refused.header("retry-after").parse().expect("seconds");
    assert_eq!(mark(id).effects(), burst);
    assert_eq!(api.count(&api.technician, id, "answer", None).await.status, 200, "others go on");
    api.clock.advance(SignedDuration::from_secs(wait));
    assert_eq!(api.count(&api.owner, id, "answer", None).await.status, 200, "as Retry-After said");
    assert_eq!(api.written(&api.owner).await.len(), burst + 1, "a call refused for its rate is only logged");
}

#[tokio::test]
async fn a_customers_rate_is_used_up_only_by_those_who_see_it() {
    let api = Api::new().await;
    let (mine, theirs) = (Uuid::now_v7(), Uuid::now_v7());
    let about = |mark: Uuid, customer| json!({ "mark": mark, "then": "answer", "customer_id": customer });
    let burst = RateClass::Sync.per_customer().burst;
    let mut callers = Vec::new();
    for _ in 0..=burst / RateClass::Sync.per_user().burst {
        callers.push(api.db.portal(api.fabrikam, "portal_admin").await);
    }
    // Strangers name the customer as often as they like.
    for one in 0..=burst {
        let caller = &callers[usize::try_from(one / 20).expect("small")];
        let answer = api.call(caller, "count", &about(mine, api.contoso), None).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    assert_eq!(api.call(&api.at_contoso, "count", &about(theirs, api.contoso), None).await.status, 200);
    api.clock.advance(SignedDuration::from_mins(5));
    for one in 0..burst {
        let caller = &callers[usize::try_from(one / 20).expect("small")];
        assert_eq!(api.call(caller, "count", &about(mine, api.fabrikam), None).await.status, 200);
    }
    api.call(&api.at_fabrikam, "count", &about(mine, api.fabrikam), None).await.must_fail(ErrorCode::TooMany);
    let unseen = api.call(&api.at_contoso, "count", &about(theirs, api.fabrikam), None).await;
    assert_eq!(unseen.status, 200, "a stranger does not learn that it is used up");
}

#[tokio::test]
async fn methods_and_paths_are_answered_alike() {
    let api = Api::new().await;
    let names = functions::entries().iter().map(|entry| format!("/{}", entry.name)).collect::<Vec<_>>();
    let webhook = format!("/ninjaone-webhook/{}", Uuid::now_v7());
    for path in names.iter().chain([&webhook]) {
        let options = api.ask(None, Method::OPTIONS, path, "").await;
        assert_eq!((options.status.as_u16(), options.header("allow")), (204, "OPTIONS, POST"), "{path}");
        for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
            let answer = api.ask(Some(&api.owner), method.clone(), path, "").await;
            answer.must_fail(ErrorCode::MethodNotAllowed);
            assert_eq!(answer.header("allow"), "OPTIONS, POST", "{method} {path}");
        }
    }
    for name in &names {
        api.ask(None, Method::POST, name, "{}").await.must_fail(ErrorCode::NotSignedIn);
        api.ask(Some(&api.db.anonymous()), Method::POST, name, "{}").await.must_fail(ErrorCode::NotSignedIn);
    }
    for path in ["/no-such", "/no/such", "/count/more", "/", "/%ff"] {
        for method in [Method::POST, Method::OPTIONS, Method::GET] {
            api.ask(Some(&api.owner), method, path, "{}").await.must_fail(ErrorCode::NotFound);
        }
    }
    for path in ["/ninjaone-webhook/%ff", "/ninjaone-webhook/1"] {
        api.ask(None, Method::POST, path, "{}").await.must_fail(ErrorCode::NotFound);
    }
}

#[tokio::test]
async fn bodies_are_bounded_and_of_the_declared_shape() {
    let api = Api::new().await;
    let id = Uuid::now_v7();
    let long = format!("{{\"mark\":\"{id}\",\"then\":\"answer\"}}{}", " ".repeat(1_000));
    api.ask(Some(&api.owner), Method::POST, "/count", &long).await.must_fail(ErrorCode::TooLarge);
    let far = " ".repeat(2 * 1024 * 1024);
    api.ask(Some(&api.owner), Method::POST, "/count", &far).await.must_fail(ErrorCode::TooLarge);
    for wrong in ["", "{}", "[]", "not json", "{\"mark\":1}"] {
        api.ask(Some(&api.owner), Method::POST, "/count", wrong).await.must_fail(ErrorCode::BodyInvalid);
    }
    let more = json!({ "mark": id, "then": "answer", "more": 1 });
    api.call(&api.owner, "count", &more, None).await.must_fail(ErrorCode::BodyInvalid);
    assert_eq!(mark(id).effects(), 0);
    api.count(&api.owner, id, "answer", Some("two words")).await.must_fail(ErrorCode::ValueRefused);
    api.count(&api.owner, id, "answer", Some(&"k".repeat(256))).await.must_fail(ErrorCode::ValueRefused);
    assert_eq!(mark(id).effects(), 0);
}

#[tokio::test]
async fn what_a_function_gave_is_in_the_log_of_reads() {
    let api = Api::new().await;
    let id = Uuid::now_v7();
    for key in [None, Some("one"), Some("one")] {
        api.count(&api.technician, id, "answer", key).await.ok();
    }
    api.call(&api.technician, "count", &json!({}), None).await.must_fail(ErrorCode::BodyInvalid);
    let pg = &api.db.pg;
    assert_eq!(pg.access().flush(pg, api.clock.now()).await.expect("written"), 1);
    let line: String = api
        .db
        .read("select concat_ws(' ', source, subject, shape, request_count, row_count, actor_role) from audit.access")
        .await;
    assert_eq!(line, "rpc functions/v1.count  3 3 staff", "what was refused gave nothing");
}
