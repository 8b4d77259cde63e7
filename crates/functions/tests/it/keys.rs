//! The same call under the same key: one effect, one answer.
use functions::{KEY_HOURS, LEASE_MARGIN_MS, SweepReport};
use jiff::SignedDuration;
use kernel::ErrorCode;
use serde_json::json;
use uuid::Uuid;

use crate::api::{self, Api, MustFail as _, TIMEOUT_MS, mark};

#[tokio::test]
async fn a_repeated_call_has_one_effect_and_one_answer() {
    let api = Api::new().await;
    let id = Uuid::now_v7();
    let first = api.count(&api.owner, id, "answer", Some("one")).await;
    assert_eq!((first.status.as_u16(), first.header("idempotency-replayed")), (200, ""), "{}", first.text);
    let input = format!("{{ \"then\": \"answer\",\n \"mark\": \"{id}\" }}");
    for _ in 0..2 {
        let again = api::send(
            api.router.clone(),
            Some(api.owner.clone()),
            axum::http::Method::POST,
            "/count",
            input.clone(),
            Some("one"),
        )
        .await;
        assert_eq!((again.status, again.header("idempotency-replayed")), (first.status, "true"));
        assert_eq!(again.text, first.text);
        assert_eq!(again.header("content-type"), "application/json");
    }
    assert_eq!(mark(id).effects(), 1);
    assert_eq!(api.count(&api.owner, id, "answer", None).await.json()["number"], 2, "without a key");
    assert_eq!(api.count(&api.owner, id, "answer", Some("two")).await.json()["number"], 3, "another key");
}

#[tokio::test]
async fn a_key_with_another_input_is_refused_and_has_no_effect() {
    let api = Api::new().await;
    let id = Uuid::now_v7();
    api.count(&api.owner, id, "answer", Some("one")).await;
    let other = api.count(&api.owner, id, "refuse", Some("one")).await;
    other.must_fail(ErrorCode::KeyReused);
    assert_eq!(mark(id).effects(), 1);
    assert_eq!(api.count(&api.owner, id, "answer", Some("one")).await.json()["number"], 1);
}

#[tokio::test]
async fn keys_of_people_and_functions_do_not_meet() {
    let api = Api::new().await;
    let id = Uuid::now_v7();
    assert_eq!(api.count(&api.owner, id, "answer", Some("one")).await.json()["number"], 1);
    for (number, actor) in [(2, &api.technician), (3, &api.at_contoso), (4, &api.at_fabrikam)] {
        let answer = api.count(actor, id, "answer", Some("one")).await;
        assert_eq!(answer.json()["number"], number);
        assert_eq!(answer.header("idempotency-replayed"), "");
    }
    let input = json!({ "integration_id": id });
    api.call(&api.owner, "ninjaone-sync", &input, Some("one")).await.must_fail(ErrorCode::NotFound);
}

#[tokio::test]
async fn refusals_are_answered_again_and_what_is_worth_trying_is_not() {
    let api = Api::new().await;
    let (refused, away) = (Uuid::now_v7(), Uuid::now_v7());
    let first = api.count(&api.owner, refused, "refuse", Some("one")).await;
    first.must_fail(ErrorCode::Conflict);
    let again = api.count(&api.owner, refused, "refuse", Some("one")).await;
    assert_eq!((again.text.as_str(), again.header("idempotency-replayed")), (first.text.as_str(), "true"));
    assert_eq!(mark(refused).effects(), 1);
    for tried in 1..=2 {
        api.count(&api.owner, away, "away", Some("two")).await.must_fail(ErrorCode::DatabaseUnavailable);
        assert_eq!(mark(away).effects(), tried);
    }
}

#[tokio::test]
async fn of_many_at_once_one_is_carried_out() {
    let api = Api::new().await;
    let id = Uuid::now_v7();
    let calls = (0..10).map(|_| api.count(&api.owner, id, "answer", Some("one")));
    for answer in futures_util::future::join_all(calls).await {
        if answer.status != 200 {
            answer.must_fail(ErrorCode::KeyInUse);
            assert!((1..=5).contains(&answer.header("retry-after").parse::<u64>().expect("seconds")));
        }
    }
    assert_eq!(mark(id).effects(), 1);
    let after = api.count(&api.owner, id, "answer", Some("one")).await;
    assert_eq!((after.json()["number"].as_u64(), after.header("idempotency-replayed")), (Some(1), "true"));
}

#[tokio::test]
async fn while_the_first_is_under_way_the_second_is_told_to_wait() {
    let api = Api::new().await;
    let id = Uuid::now_v7();
    let held = mark(id);
    let first = api.count(&api.owner, id, "wait", Some("one"));
    let second = async {
        held.entered.notified().await;
        let second = api.count(&api.owner, id, "wait", Some("one")).await;
        held.gate.notify_one();
        second
    };
    let (first, second) = tokio::join!(first, second);
    second.must_fail(ErrorCode::KeyInUse);
    assert_eq!(second.header("retry-after"), "5");
    assert_eq!(first.json()["number"], 1);
    assert_eq!(api.count(&api.owner, id, "wait", Some("one")).await.text, first.text);
    assert_eq!(held.effects(), 1);
}

#[tokio::test]
async fn who_hangs_up_finds_the_answer_under_the_key() {
    let api = Api::new().await;
    let id = Uuid::now_v7();
    let held = mark(id);
    tokio::select! {
        answer = api.count(&api.owner, id, "wait", Some("one")) => panic!("{answer:?}"),
        () = held.entered.notified() => {}
    }
    held.gate.notify_one();
    while api.db.read::<i64>("select count(*) from app.function_calls where ended_at is null").await > 0 {
        tokio::task::yield_now().await;
    }
    let answer = api.count(&api.owner, id, "wait", Some("one")).await;
    assert_eq!((answer.json()["number"].as_u64(), answer.header("idempotency-replayed")), (Some(1), "true"));
    assert_eq!(held.effects(), 1);
}

#[tokio::test]
async fn a_process_that_died_frees_its_keys_after_the_time_out() {
    let api = Api::new().await;
    let (id, actor, clock) = (Uuid::now_v7(), api.owner.clone(), api.clock.clone());
    let authenticator = api.db.authenticator.clone();
    // Another process of the installation, ended in the middle of a call.
    let died = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let settings = pg::PgSettings::halves(authenticator, 4);
            let pg = pg::Pg::new(&settings).expect("a pool");
            let router = api::router(&api::services_over(pg, &clock));
            let held = mark(id);
            let body = json!({ "mark": id, "then": "wait" }).to_string();
            tokio::select! {
                answer = api::send(router, Some(actor), axum::http::Method::POST, "/count", body, Some("one")) => panic!("{answer:?}"),
                () = held.entered.notified() => {}
            }
        });
        runtime.shutdown_background();
    });
    died.join().expect("the other process ended as planned");
    let held = mark(id);
    api.count(&api.owner, id, "wait", Some("one")).await.must_fail(ErrorCode::KeyInUse);
    api.count(&api.owner, id, "answer", Some("one")).await.must_fail(ErrorCode::KeyReused);
    let lease_ms = i64::try_from(TIMEOUT_MS + LEASE_MARGIN_MS).expect("small");
    api.clock.advance(SignedDuration::from_millis(lease_ms - 1));
    api.count(&api.owner, id, "wait", Some("one")).await.must_fail(ErrorCode::KeyInUse);
    assert_eq!(held.effects(), 1);
    api.clock.advance(SignedDuration::from_millis(1));
    held.gate.notify_one();
    let answer = api.count(&api.owner, id, "wait", Some("one")).await;
    assert_eq!((answer.json()["number"].as_u64(), answer.header("idempotency-replayed")), (Some(2), ""));
    let broken_off = ("count".to_owned(), None, None);
    assert!(api.written(&api.owner).await.contains(&broken_off), "it stays in the log without an end");
}

#[tokio::test]
async fn a_panic_and_a_time_out_are_answers() {
    let api = Api::new().await;
    let (panics, hangs) = (Uuid::now_v7(), Uuid::now_v7());
    api.count(&api.owner, panics, "panic", Some("one")).await.must_fail(ErrorCode::Internal);
    let again = api.count(&api.owner, panics, "panic", Some("one")).await;
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (500, "true"));
    assert_eq!(mark(panics).effects(), 1);
    let input = json!({ "mark": hangs, "then": "answer" });
    let answer = api.call(&api.owner, "hang", &input, Some("two")).await;
    answer.must_fail(ErrorCode::TimedOut);
    assert!(answer.text.contains("The number stays counted."), "{}", answer.text);
    let again = api.call(&api.owner, "hang", &input, Some("two")).await;
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (504, "true"));
    assert_eq!(mark(hangs).effects(), 1);
}

#[tokio::test]
async fn a_key_lives_a_day() {
    let api = Api::new().await;
    let id = Uuid::now_v7();
    api.count(&api.owner, id, "answer", Some("one")).await;
    api.clock.advance(SignedDuration::from_hours(KEY_HOURS) - SignedDuration::from_secs(1));
    assert_eq!(api.count(&api.owner, id, "answer", Some("one")).await.json()["number"], 1);
    api.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(api.count(&api.owner, id, "answer", Some("one")).await.json()["number"], 2, "not swept yet");
    assert_eq!(functions::sweep(&api.db.pg, api.clock.now()).await.expect("swept").keys_forgotten, 0);
    api.clock.advance(SignedDuration::from_hours(KEY_HOURS));
    let report = functions::sweep(&api.db.pg, api.clock.now()).await.expect("swept");
    assert_eq!(report, SweepReport { keys_forgotten: 1 });
    assert_eq!(api.db.read::<i64>("select count(*) from app.function_calls where answer is null").await, 2);
}

#[tokio::test]
async fn an_ended_session_gets_no_stored_answer() {
    let api = Api::new().await;
    let id = Uuid::now_v7();
    assert_eq!(api.count(&api.owner, id, "answer", Some("one")).await.status, 200);
    let session = api.owner.session.expect("a session");
    api.db.arrange(&format!("delete from auth.sessions where id = '{session}'")).await;
    api.count(&api.owner, id, "answer", Some("one")).await.must_fail(ErrorCode::NotSignedIn);
    assert_eq!(mark(id).effects(), 1);
}
