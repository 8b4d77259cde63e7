use auth::AuthConfig;
use jiff::SignedDuration;

use crate::{App, ISSUER};

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

#[tokio::test]
async fn every_refresh_gives_a_new_token_of_the_same_session() {
    let app = App::new().await;
    let first = app.session().await;
    let mut token = first.text("refresh_token");
    let session = app.auth.claims(&first.text("access_token")).await.expect("claims").session_id;
    for _ in 0..4 {
        app.clock.advance(SignedDuration::from_mins(14));
        let next = app.refresh(&token).await;
        assert_eq!(next.status, 200, "{:?}", next.body);
        assert_ne!(next.text("refresh_token"), token);
        assert_eq!(next.body["expires_in"], 900);
        assert_eq!(app.auth.claims(&next.text("access_token")).await.expect("claims").session_id, session);
        token = next.text("refresh_token");
    }
    assert_eq!(app.db.read::<i64>("select count(*) from auth.sessions").await, 1);
}

#[tokio::test]
async fn a_used_token_after_its_grace_ends_the_session_for_everybody() {
    let app = App::new().await;
    let stolen = app.session().await;
    let other = app.session().await;
    let owners = app.refresh(&stolen.text("refresh_token")).await;
    app.clock.advance(seconds(30));
    app.refresh(&stolen.text("refresh_token")).await.must_fail(400, "refresh_token_already_used");
    // The owner's newer tokens are dead too, in the data API at the next statement.
    app.refresh(&owners.text("refresh_token")).await.must_fail(400, "refresh_token_not_found");
    assert_eq!(app.permissions(&owners.text("access_token")).await, 0);
    app.user(&owners.text("access_token")).await.must_fail(403, "session_not_found");
    assert!(
        app.permissions(&other.text("access_token")).await > 0,
        "another session of the person ended too"
    );
    let reason: String = app.db.read("select end_reason from auth.sessions where ended_at is not null").await;
    assert_eq!(reason, "refresh token used twice");
}

#[tokio::test]
async fn a_used_token_whose_successor_was_used_ends_the_session_even_within_the_grace() {
    let app = App::new().await;
    let first = app.session().await;
    let second = app.refresh(&first.text("refresh_token")).await;
    let third = app.refresh(&second.text("refresh_token")).await;
    assert_eq!(third.status, 200);
    app.refresh(&first.text("refresh_token")).await.must_fail(400, "refresh_token_already_used");
    app.refresh(&third.text("refresh_token")).await.must_fail(400, "refresh_token_not_found");
}

#[tokio::test]
async fn a_retry_within_the_grace_gets_the_same_successor() {
    let app = App::new().await;
    let first = app.session().await.text("refresh_token");
    let answer = app.refresh(&first).await;
    app.clock.advance(seconds(29));
    let retry = app.refresh(&first).await;
    assert_eq!(retry.status, 200, "{:?}", retry.body);
    assert_eq!(retry.text("refresh_token"), answer.text("refresh_token"));
    assert_eq!(app.db.read::<i64>("select count(*) from auth.refresh_tokens").await, 2);
    assert_eq!(app.refresh(&retry.text("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn refreshes_at_the_same_moment_agree() {
    let app = App::new().await;
    let token = app.session().await.text("refresh_token");
    let answers = tokio::join!(
        app.refresh(&token),
        app.refresh(&token),
        app.refresh(&token),
        app.refresh(&token),
        app.refresh(&token),
        app.refresh(&token),
    );
    let answers = [answers.0, answers.1, answers.2, answers.3, answers.4, answers.5];
    for answer in &answers {
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        assert_eq!(answer.text("refresh_token"), answers[0].text("refresh_token"));
    }
    assert_eq!(app.db.read::<i64>("select count(*) from auth.refresh_tokens").await, 2);
    assert_eq!(app.refresh(&answers[3].text("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_and_when_it_is_old() {
    let config = AuthConfig {
        session_life: SignedDuration::from_hours(3),
        session_idle: SignedDuration::from_hours(1),
        ..AuthConfig::new(ISSUER)
    };
    let app = App::with(config).await;
    let idle = app.session().await.text("refresh_token");
    let mut busy = app.session().await.text("refresh_token");
    for _ in 0..3 {
        app.clock.advance(SignedDuration::from_mins(55));
        let answer = app.refresh(&busy).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        busy = answer.text("refresh_token");
    }
    app.refresh(&idle).await.must_fail(400, "session_expired");
    // 2 h 45 min: the access token ends with the session, not after it.
    app.clock.advance(SignedDuration::from_mins(10));
    let last = app.refresh(&busy).await;
    assert_eq!(last.body["expires_in"], 300);
    app.clock.advance(SignedDuration::from_mins(5));
    app.refresh(&last.text("refresh_token")).await.must_fail(400, "session_expired");
}

#[tokio::test]
async fn an_expired_session_stops_in_the_policies() {
    let app = App::new().await;
    let session = app.session().await;
    assert!(app.permissions(&session.text("access_token")).await > 0);
    app.db.arrange("update auth.sessions set expires_at = now()").await;
    assert_eq!(app.permissions(&session.text("access_token")).await, 0);
}

#[tokio::test]
async fn a_role_given_meanwhile_is_in_the_next_token() {
    let app = App::new().await;
    let session = app.session().await;
    app.db.arrange("delete from public.staff_members").await;
    assert_eq!(app.permissions(&session.text("access_token")).await, 0, "a role that was taken still works");
    let next = app.refresh(&session.text("refresh_token")).await;
    assert_eq!(next.body["user"]["role"], "authenticated");
}

#[tokio::test]
async fn foreign_long_and_odd_tokens_are_not_found() {
    let app = App::new().await;
    let session = app.session().await;
    let token = session.text("refresh_token");
    for text in [
        &token[..token.len() - 1],
        &format!("{token} "),
        &token.to_uppercase(),
        &session.text("access_token"),
        &"x".repeat(10_000),
        "\u{0}",
    ] {
        app.refresh(text).await.must_fail(400, "refresh_token_not_found");
    }
    let hash: String = app.db.read("select encode(token_hash, 'hex') from auth.refresh_tokens").await;
    app.refresh(&hash).await.must_fail(400, "refresh_token_not_found");
    assert_eq!(app.refresh(&token).await.status, 200, "odd tokens did harm");
}
