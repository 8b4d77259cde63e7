//! Isolation, attacked: the real router over a database where every table has rows of two customers. Who belongs to one asks for
//! the rows of the other, in every way that the catalog and the routes offer. `db/tests/attacks.txt` says what was tried.
mod feed;
mod logout;
mod mutation;
mod rest;
mod routes;
mod shot;
mod watch;
mod world;

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf, sync::Arc};

use tokio::task::JoinSet;

use self::{
    shot::{Kind, Shot},
    world::{Expect, Raider, World},
};

const HEADER: &str = "\
# What the attack tries against every customer's rows: surface, subject, reads and writes, by each of the roles above them.
# Written by `make matrix`; a new table, function or route is one more line.
";
/// Requests under way at once.
const LANES: usize = 8;
const FINDINGS_MAX: usize = 40;

fn shots(world: &World, raider: &Raider) -> Vec<Shot> {
    let mut shots = rest::shots(world, raider);
    shots.extend(routes::shots(world, raider));
    if raider.expect == Expect::NoFault {
        // What staff may change is for the access matrix; the seeded files have no bytes to be read.
        shots.retain(|shot| shot.kind == Kind::Read && shot.surface != "storage");
    }
    shots
}

/// Fires them side by side; what was wrong.
async fn fire(world: &World, raider: &Raider, shots: Vec<Shot>) -> Vec<String> {
    let mut lanes = JoinSet::new();
    let side = Arc::new(world.side(raider.target).clone());
    let mut parts: Vec<Vec<Shot>> = vec![Vec::new(); LANES];
    for (place, shot) in shots.into_iter().enumerate() {
        parts[place % LANES].push(shot);
    }
    for part in parts {
        let (router, raider, side) = (world.router(), raider.clone(), Arc::clone(&side));
        lanes.spawn(async move {
            let mut wrong = Vec::new();
            for shot in part {
                wrong.extend(shot.fire(&router, &raider, &side).await);
            }
            wrong
        });
    }
    lanes.join_all().await.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_another_customer_comes_out_or_changes() {
    let world = World::new().await;
    let mut tried: BTreeMap<(&'static str, String), (usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut roles = String::new();
    for raider in &world.raiders {
        writeln!(roles, "role {} ({:?})", raider.label, raider.expect).expect("a string");
        let shots = shots(&world, raider);
        if raider.label == "portal_admin of A" {
            for shot in shots.iter().chain(&logout::shots(&world, raider)) {
                let (reads, writes) = tried.entry((shot.surface, shot.subject.clone())).or_default();
                *if shot.kind == Kind::Read { reads } else { writes } += 1;
            }
        }
        let before = world.state_of(raider.target).await;
        wrong.extend(fire(&world, raider, shots).await);
        let after = world.state_of(raider.target).await;
        let changed = before.iter().filter(|(table, hash)| after[*table] != **hash);
        wrong.extend(changed.map(|(table, _)| format!("{} | changed rows of {table}", raider.label)));
    }
    wrong.extend(logout::attack(&world).await);
    let total = wrong.len();
    wrong.truncate(FINDINGS_MAX);
    assert!(wrong.is_empty(), "{total} finding(s):\n{}", wrong.join("\n"));
    let mut text = format!("{HEADER}{roles}");
    for ((surface, subject), (reads, writes)) in tried {
        writeln!(text, "{surface:<10} {subject:<44} reads={reads} writes={writes}").expect("a string");
    }
    compare(&text);
}

#[expect(
    clippy::disallowed_methods,
    reason = "set by `make matrix`, the one way to write the committed lists"
)]
fn compare(text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../db/tests/attacks.txt");
    if std::env::var("OBERA_UPDATE").is_ok() {
        std::fs::write(&path, text).expect("the list");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (old, new) = (lines(&committed), lines(text));
    let gone = old.iter().filter(|line| !new.contains(line)).map(|line| format!("- {line}\n"));
    let come = new.iter().filter(|line| !old.contains(line)).map(|line| format!("+ {line}\n"));
    let difference: String = gone.chain(come).collect();
    assert!(
        difference.is_empty(),
        "db/tests/attacks.txt is not what is tried now; run `make matrix`:\n{difference}"
    );
}
