use axum::http::header;
use jiff::SignedDuration;

use crate::{Answer, App, OWNER, PASSWORD};

const WRONG: &str = "not the password";

fn wait_s(answer: &Answer) -> i64 {
    answer.must_fail(429, "over_request_rate_limit");
    answer.headers[header::RETRY_AFTER].to_str().expect("text").parse().expect("seconds")
}

#[tokio::test]
async fn an_account_is_shut_after_ten_failures_also_for_the_right_password() {
    let app = App::new().await;
    for n in 0..10 {
        // From everywhere, so that only the account's limit counts.
        app.sign_in_from(&format!("192.0.2.{n}"), OWNER, WRONG).await.must_fail(400, "invalid_credentials");
        app.clock.advance(SignedDuration::from_secs(10));
    }
    let refused = app.sign_in_from("192.0.2.99", OWNER, PASSWORD).await;
    // The oldest of the ten failures is 100 s old.
    assert_eq!(wait_s(&refused), 15 * 60 - 100);
    app.clock.advance(SignedDuration::from_secs(wait_s(&refused)));
    assert_eq!(app.sign_in_from("192.0.2.99", OWNER, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn refusals_do_not_prolong_themselves_and_a_flood_of_them_is_not_written() {
    let app = App::new().await;
    for _ in 0..10 {
        app.sign_in_from("192.0.2.1", OWNER, WRONG).await;
    }
    for _ in 0..25 {
        wait_s(&app.sign_in_from("192.0.2.1", OWNER, WRONG).await);
    }
    let limited: i64 =
        app.db.read("select count(*) from auth.sign_in_attempts where outcome = 'limited'").await;
    assert_eq!(limited, 1);
    app.clock.advance(SignedDuration::from_secs(15 * 60 + 1));
    assert_eq!(app.sign_in_from("192.0.2.1", OWNER, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn an_unknown_account_is_limited_like_a_known_one() {
    let app = App::new().await;
    for _ in 0..10 {
        app.sign_in_from("192.0.2.1", "nobody@msp.example", WRONG)
            .await
            .must_fail(400, "invalid_credentials");
    }
    wait_s(&app.sign_in_from("192.0.2.1", "nobody@msp.example", WRONG).await);
}

#[tokio::test]
async fn an_address_is_shut_after_thirty_failures_over_all_accounts_and_nobody_else_is() {
    let app = App::new().await;
    for n in 0..30 {
        let email = format!("user{n}@msp.example");
        app.sign_in_from("2001:db8:1:2::7", &email, WRONG).await.must_fail(400, "invalid_credentials");
    }
    wait_s(&app.sign_in_from("2001:db8:1:2::7", OWNER, PASSWORD).await);
    wait_s(&app.sign_in_from("2001:db8:1:2:aaaa::1", OWNER, PASSWORD).await);
    assert_eq!(app.sign_in_from("2001:db8:1:3::1", OWNER, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn strangers_cannot_shut_out_the_owner_at_the_usual_place() {
    let app = App::new().await;
    assert_eq!(app.sign_in_from("198.51.100.7", OWNER, PASSWORD).await.status, 200);
    for n in 0..40 {
        let _tried = app.sign_in_from(&format!("192.0.2.{n}"), OWNER, WRONG).await;
    }
    wait_s(&app.sign_in_from("192.0.2.200", OWNER, PASSWORD).await);
    assert_eq!(app.sign_in_from("198.51.100.7", OWNER, PASSWORD).await.status, 200);
    // The usual place has a limit of its own.
    for _ in 0..10 {
        app.sign_in_from("198.51.100.7", OWNER, WRONG).await.must_fail(400, "invalid_credentials");
    }
    wait_s(&app.sign_in_from("198.51.100.7", OWNER, PASSWORD).await);
}

#[tokio::test]
async fn many_attempts_at_once_do_not_slip_through_together() {
    let app = App::new().await;
    let attempts = (0..24).map(|n| {
        let app = &app;
        async move { app.sign_in_from(&format!("192.0.2.{n}"), OWNER, WRONG).await.status.as_u16() }
    });
    let statuses = futures_util::future::join_all(attempts).await;
    let checked = statuses.iter().filter(|status| **status == 400).count();
    assert_eq!(checked, 10, "{statuses:?}");
    assert!(statuses.iter().all(|status| [400, 429].contains(status)), "{statuses:?}");
}

#[tokio::test]
async fn people_of_one_office_sign_in_together() {
    let app = App::new().await;
    let attempts = (0..20).map(|_| {
        let app = &app;
        async move { app.sign_in_from("192.0.2.1", OWNER, PASSWORD).await.status.as_u16() }
    });
    let statuses = futures_util::future::join_all(attempts).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
}
