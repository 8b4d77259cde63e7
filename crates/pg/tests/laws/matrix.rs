//! The access matrix: role x table x verb, found by trying, compared with `db/tests/access_matrix.txt`; and the proof
//! that the trying sees a policy that is gone.
use std::fmt::Write as _;

use testkit::rows::Table;

use crate::{
    probe::{ACTORS, Actor, Probe, Reach, Seat},
    stories,
    support::{WRITE_ANEW, assert_same_text, db_dir, is_update},
};

const HEADER: &str = "\
# Who reaches which rows, found by trying with rows of two customers. Written by `make matrix`; review every change.
# all: every row; customer: rows of the actor's customer; own: the actor's own rows; some: a part of a summary; none.
# Columns in parentheses where a verb is granted for these columns only. At the end: who may call which function.
";

/// Functions and the roles that may call them; what only the owner may call is left out, and so are an extension's functions, which
/// are open to everybody in a schema that is open to nobody (law `nothing_to_public`).
const FUNCTIONS: &str = "
  select format('%s.%s(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
    string_agg(r.rolname, ' ' order by r.rolname)
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  join pg_catalog.pg_roles r on r.rolname in ('anon', 'authenticated', 'staff', 'worker', 'system', 'service_role', 'authenticator')
    and has_function_privilege(r.oid, p.oid, 'execute')
  where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'probe')
    and not exists (select from pg_catalog.pg_depend e where e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e')
  group by p.oid, n.nspname order by 1";

#[tokio::test]
async fn the_access_matrix_is_as_committed() {
    let probe = Probe::new().await;
    let mut text = HEADER.to_owned();
    let mut odd = Vec::new();
    for actor in ACTORS {
        let seat = probe.enter(actor).await;
        let mut relations: Vec<&Table> = probe.relations.iter().collect();
        relations.sort_by(|a, b| a.name.cmp(&b.name));
        for relation in relations {
            let access = seat.access(relation).await;
            writeln!(text, "{:<31} {:<34} {access}", actor.label, relation.name)
                .expect("writing to a string");
            let verbs = [&access.select, &access.insert, &access.update, &access.delete];
            if verbs.iter().any(|verb| verb.moves || matches!(verb.reach, Reach::Odd(_))) {
                odd.push(format!("{} {} {access}", actor.label, relation.name));
            }
        }
    }
    for row in probe.look(FUNCTIONS).await {
        let (name, roles): (String, String) = (row.get(0), row.get(1));
        writeln!(text, "{:<31} {name} {roles}", "execute").expect("writing to a string");
    }
    assert!(
        odd.is_empty(),
        "neither granted nor refused cleanly, or movable to another customer:\n{}",
        odd.join("\n")
    );
    let path = db_dir().join("tests/access_matrix.txt");
    if is_update() {
        std::fs::write(&path, &text).expect("the matrix");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_same_text(&committed, &text, "db/tests/access_matrix.txt", WRITE_ANEW);
}

/// Drops one policy after the other: the matrix or a story must see it.
#[tokio::test]
async fn every_dropped_policy_is_noticed() {
    let probe = Probe::new().await;
    let stories = stories::all();
    let mut unnoticed: Vec<Policy> = policies(&probe).await;
    let total = unnoticed.len();
    for actor in ACTORS {
        let seat = probe.enter(actor).await;
        for relation in &probe.relations {
            let before = seat.access(relation).await;
            let mut still_unnoticed = Vec::new();
            for policy in unnoticed.drain(..) {
                let concerns =
                    policy.table == relation.name && policy.roles.iter().any(|role| role == actor.role);
                if !concerns || !is_noticed(&seat, actor, relation, &policy, &before, &stories).await {
                    still_unnoticed.push(policy);
                }
            }
            unnoticed = still_unnoticed;
        }
    }
    let names: Vec<_> =
        unnoticed.iter().map(|policy| format!("{} on {}", policy.name, policy.table)).collect();
    assert!(
        names.is_empty(),
        "of {total} policies, dropping these is seen by nobody; write a story:\n{}",
        names.join("\n")
    );
}

async fn is_noticed(
    seat: &Seat<'_>,
    actor: &Actor,
    relation: &Table,
    policy: &Policy,
    before: &crate::probe::Access,
    stories: &[stories::Story],
) -> bool {
    let drop = format!("drop policy \"{}\" on {}", policy.name, policy.table);
    seat.with_change(&drop, async || {
        if seat.access(relation).await != *before {
            return true;
        }
        for story in stories.iter().filter(|story| story.actor == actor.label) {
            if story.tell(seat).await.is_err() {
                return true;
            }
        }
        false
    })
    .await
}

struct Policy {
    table: String,
    name: String,
    roles: Vec<String>,
}

/// Policies of all tables but partitions, which nobody reaches by themselves, and of what is past its time, whose dropping `retention` notices.
async fn policies(probe: &Probe) -> Vec<Policy> {
    let sql = "select format('%s.%s', schemaname, tablename), policyname::text, roles::text[] from pg_catalog.pg_policies where policyname not in ('expire', 'expire_look') order by 1, 2";
    let rows = probe.look(sql).await;
    rows.iter()
        .map(|row| Policy { table: row.get(0), name: row.get(1), roles: row.get(2) })
        .filter(|policy| probe.relations.iter().any(|relation| relation.name == policy.table))
        .collect()
}

/// The probe sees what is let through, not only what is refused.
#[tokio::test]
async fn a_policy_that_lets_too_much_through_is_seen() {
    let probe = Probe::new().await;
    let find = |label: &str| ACTORS.iter().find(|actor| actor.label == label).expect("an actor");
    let sites = probe.relations.iter().find(|relation| relation.name == "public.sites").expect("sites");

    let seat = probe.enter(find("worker(customer)")).await;
    // PostgreSQL asks the select policies about the new row as well, so both have to be wrong.
    let wide = "create policy wide_select on public.sites for select to worker using (true);
        create policy wide_update on public.sites for update to worker
          using (customer_id = (select app.worker_customer())) with check (true)";
    assert!(!seat.access(sites).await.update.moves);
    assert!(
        seat.with_change(wide, async || seat.access(sites).await.update.moves).await,
        "a row could be moved to another customer"
    );

    let seat = probe.enter(find("authenticated(portal_admin)")).await;
    let open = "create policy open on public.sites for select to authenticated using (true)";
    assert_eq!(seat.access(sites).await.select.reach, Reach::Customer);
    assert_eq!(seat.with_change(open, async || seat.access(sites).await.select.reach).await, Reach::All);
}
