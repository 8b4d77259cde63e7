use auth::{
    Origin, PasswordFault, TokenRole,
    people::{NewUser, PeopleError, UserKind, create_user, end_sessions, set_password},
};
use kernel::{
    id::{CustomerId, UserId},
    secret::SecretString,
};

use crate::{App, OWNER, PASSWORD, person};

fn portal(memberships: &[(CustomerId, &str)]) -> UserKind {
    UserKind::Portal {
        memberships: memberships.iter().map(|(customer, role)| (*customer, (*role).to_owned())).collect(),
    }
}

#[tokio::test]
async fn making_the_same_person_again_changes_nothing() {
    let app = App::new().await;
    let session = app.session().await;
    let rows = "select (select count(*) from auth.users) + (select count(*) from public.staff_members) + (select count(*) from audit.log where table_name in ('auth.users', 'public.staff_members'))";
    let before: i64 = app.db.read(rows).await;
    let again = create_user(
        &app.db.pg,
        &app.clock,
        person("OWNER@msp.example", UserKind::Staff { role: "owner".into() }),
    )
    .await;
    assert_eq!(again.expect("the same"), app.owner);
    assert_eq!(app.db.read::<i64>(rows).await, before);
    assert!(app.permissions(&session.text("access_token")).await > 0, "a session was ended for nothing");
}

#[tokio::test]
async fn a_person_becomes_what_is_asked_for() {
    let app = App::new().await;
    let (acme, bravo) = (app.db.customer("acme").await, app.db.customer("bravo").await);
    let make =
        async |kind: UserKind| create_user(&app.db.pg, &app.clock, person("p@acme.example", kind)).await;
    let user = make(portal(&[(acme, "portal_admin"), (bravo, "portal_admin")])).await.expect("made");
    let token = app.sign_in("p@acme.example", PASSWORD).await;
    assert_eq!(token.body["user"]["role"], "authenticated");
    let seen = async || -> Vec<String> {
        let session = app.auth.open_session(user, &Origin::default()).await.expect("a session");
        let actor = app.auth.verify(&session.access_token).await.expect("valid");
        let tx = app.db.pg.act_as(&actor).await.expect("a transaction");
        let rows = tx.query("select slug from public.customers order by slug", &[]).await.expect("read");
        rows.iter().map(|row| row.get(0)).collect()
    };
    assert_eq!(seen().await, ["acme", "bravo"]);
    make(portal(&[(bravo, "portal_approver")])).await.expect("changed");
    assert_eq!(seen().await, ["bravo"]);
    make(UserKind::LimitedStaff { memberships: vec![(acme, "technician".into())] }).await.expect("changed");
    assert_eq!(seen().await, ["acme"]);
    make(UserKind::Staff { role: "auditor".into() }).await.expect("changed");
    assert_eq!(seen().await, ["acme", "bravo"]);
    make(portal(&[])).await.expect("changed");
    assert!(seen().await.is_empty());
}

#[tokio::test]
async fn roles_of_the_other_audience_and_unknown_ones_are_refused_whole() {
    let app = App::new().await;
    let acme = app.db.customer("acme").await;
    for kind in [
        portal(&[(acme, "owner")]),
        portal(&[(acme, "' or 1=1")]),
        UserKind::Staff { role: "portal_admin".into() },
        UserKind::LimitedStaff { memberships: vec![(acme, "portal_admin".into())] },
    ] {
        let made = create_user(&app.db.pg, &app.clock, person("p@acme.example", kind)).await;
        assert!(matches!(made, Err(PeopleError::Role { .. })), "{made:?}");
    }
    assert_eq!(app.db.read::<i64>("select count(*) from auth.users").await, 1);
}

#[tokio::test]
async fn bad_addresses_and_passwords_are_refused() {
    let app = App::new().await;
    let kind = || UserKind::Staff { role: "auditor".into() };
    let made =
        create_user(&app.db.pg, &app.clock, NewUser { email: "no-at".into(), ..person("x", kind()) }).await;
    assert!(matches!(made, Err(PeopleError::Email)), "{made:?}");
    for (password, fault) in
        [("short", PasswordFault::TooShort), ("PasswordPassword", PasswordFault::TooCommon)]
    {
        let new = NewUser { password: SecretString::from(password), ..person("a@msp.example", kind()) };
        let made = create_user(&app.db.pg, &app.clock, new).await;
        assert!(matches!(made, Err(PeopleError::Password(found)) if found == fault));
        let set = set_password(&app.db.pg, &app.clock, app.owner, SecretString::from(password)).await;
        assert!(matches!(set, Err(PeopleError::Password(found)) if found == fault));
    }
}

#[tokio::test]
async fn a_new_password_ends_sessions_and_the_old_one_stops() {
    let app = App::new().await;
    let session = app.session().await;
    set_password(&app.db.pg, &app.clock, app.owner, SecretString::from("another fine day"))
        .await
        .expect("set");
    assert_eq!(app.permissions(&session.text("access_token")).await, 0);
    app.sign_in(OWNER, PASSWORD).await.must_fail(400, "invalid_credentials");
    assert_eq!(app.sign_in(OWNER, "another fine day").await.status, 200);
    // Making the person anew with the first password is a new password too.
    create_user(&app.db.pg, &app.clock, person(OWNER, UserKind::Staff { role: "owner".into() }))
        .await
        .expect("changed");
    assert_eq!(end_sessions(&app.db.pg, &app.clock, app.owner).await.expect("ended"), 0);
    assert_eq!(app.sign_in(OWNER, PASSWORD).await.status, 200);
    assert_eq!(end_sessions(&app.db.pg, &app.clock, app.owner).await.expect("ended"), 1);
}

#[tokio::test]
async fn sessions_without_a_password_are_for_known_and_enabled_people() {
    let app = App::new().await;
    let session = app.auth.open_session(app.owner, &Origin::default()).await.expect("a session");
    assert_eq!(session.user.role, TokenRole::Staff);
    assert!(app.permissions(&session.access_token).await > 0);
    assert!(!format!("{session:?}").contains(&session.refresh_token));
    let nobody = UserId::new(app.clock.now());
    assert_eq!(app.auth.open_session(nobody, &Origin::default()).await.expect_err("nobody").status, 404);
    auth::people::disable(&app.db.pg, &app.clock, app.owner).await.expect("disabled");
    assert_eq!(app.auth.open_session(app.owner, &Origin::default()).await.expect_err("disabled").status, 404);
}
