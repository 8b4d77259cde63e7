//! Sign-out, tried after everything else: it ends the sessions that the other shots need. Whoever signs out names another
//! customer's person and session in every place that could be read.
use axum::http::StatusCode;
use serde_json::json;
use testkit::rows::Whose;

use super::{
    shot::Shot,
    world::{Expect, Raider, World},
};

pub const ROUTE: &str = "/logout";
const SCOPES: &[&str] = &["local", "others", "global", "everybody"];
/// Whose session must outlive the others' attempts.
const WATCHED: &str = "portal_admin of B";

pub fn shots(world: &World, raider: &Raider) -> Vec<Shot> {
    let literal = |table: &str| {
        world.seeds.literal(table, raider.target, "id").expect("a person").trim_matches('\'').to_owned()
    };
    let (user, session) = (literal("auth.users"), literal("auth.sessions"));
    let shot = |scope: &&str| {
        let path = format!("/auth/v1{ROUTE}?scope={scope}&id={user}&user_id={user}&session_id={session}");
        let body = json!({ "scope": scope, "id": user, "user_id": user, "session_id": session });
        Shot::new("auth", ROUTE, "POST", path).json(&body)
    };
    SCOPES.iter().map(shot).collect()
}

/// What was wrong.
pub async fn attack(world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    let watched = world.raider(WATCHED);
    for raider in world.raiders.iter().filter(|raider| raider.target == Whose::Foreign) {
        wrong.extend(of(world, raider).await);
    }
    let whoami = Shot::new("auth", "/user", "GET", "/auth/v1/user");
    let answer = whoami.send(&world.router(), watched).await;
    if answer.status != StatusCode::OK {
        wrong.push(format!("{WATCHED} | somebody else ended the session\n    {}", answer.text));
    }
    wrong.extend(of(world, watched).await);
    wrong
}

async fn of(world: &World, raider: &Raider) -> Vec<String> {
    let before = world.state_of(raider.target).await;
    let mut wrong = Vec::new();
    for shot in shots(world, raider) {
        if let Some(what) = fire(world, raider, &shot).await {
            wrong.push(format!("{} | {shot}\n    {what}", raider.label));
        }
    }
    let after = world.state_of(raider.target).await;
    let changed = before.iter().filter(|(table, hash)| after[*table] != **hash);
    wrong.extend(changed.map(|(table, _)| format!("{} | signing out changed rows of {table}", raider.label)));
    wrong
}

/// People get a session of their own for each shot, because it ends; forged tokens are what they are.
async fn fire(world: &World, raider: &Raider, shot: &Shot) -> Option<String> {
    let (router, side) = (world.router(), world.side(raider.target));
    let answer = shot.send(&router, &world.renewed(raider).await).await;
    if answer.status.is_server_error() {
        return Some(format!("a fault of the server: {}", answer.text));
    }
    // A bad token is 403 here, as in the dialect of sign-in.
    let is_refused = matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    if raider.expect == Expect::Refusal && !is_refused {
        return Some(format!("not refused: {}", answer.text));
    }
    if let Some(value) = side.told_in(&answer.text, &shot.to_string()) {
        return Some(format!("told {value}"));
    }
    raider.person?;
    let of_nobody = shot.twin(side).send(&router, &world.renewed(raider).await).await;
    (side.ghostly(&answer.text) != of_nobody.text)
        .then(|| format!("what exists nowhere is answered otherwise: {}", of_nobody.text))
}
