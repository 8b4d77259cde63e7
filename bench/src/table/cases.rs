//! The eight requests, as each of two kinds of people.
use serde_json::json;

use super::seed::Asker;
use crate::rest::{load::Kind, seed::Asked};

const COLUMNS: &str = "id,number,subject,priority,state,opened_at,first_response_due_at";
const PRIORITIES: [&str; 4] = ["p1", "p2", "p3", "p4"];
pub const BULK_ROWS: usize = 1_000;
/// A bulk is a large text; a few of them are enough.
const BULKS: usize = 6;
pub const CONNECTIONS: [u32; 4] = [1, 8, 64, 512];
/// A bulk takes so long that more of them only wait for the pool.
const FEW: [u32; 2] = [1, 8];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Staff who see all customers.
    Owner,
    /// People of three customers.
    Member,
}

impl Who {
    pub const fn text(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Member => "member",
        }
    }
}

#[derive(Debug)]
pub struct Case {
    pub name: &'static str,
    pub who: Who,
    pub kind: Kind,
    pub asked: Vec<Asked>,
    pub connections: Vec<u32>,
    /// One takes a good part of a second.
    pub is_slow: bool,
    pub ratio_min: f64,
    /// Percent that row-level security may add, where there is a goal.
    pub overhead_max: Option<f64>,
}

pub fn all(who: Who, askers: &[Asker]) -> Vec<Case> {
    let case = |name, kind, asked| Case {
        name,
        who,
        kind,
        asked,
        connections: CONNECTIONS.to_vec(),
        is_slow: false,
        ratio_min: 0.9,
        overhead_max: None,
    };
    let mut cases = vec![
        Case {
            ratio_min: 1.0,
            overhead_max: Some(5.0),
            ..case("one ticket by its key", Kind::Read, keyed(askers))
        },
        Case {
            overhead_max: Some(5.0),
            ..case("list of the 20 newest of a priority", Kind::Read, lists(who, askers, COLUMNS))
        },
        Case {
            overhead_max: Some(10.0),
            ..case("the list with customer and events embedded", Kind::Read, lists(who, askers, EMBEDS))
        },
        case("exact count of a customer's tickets", Kind::Read, counts(askers)),
        case("insert", Kind::Write, inserts(askers)),
        Case {
            connections: FEW.to_vec(),
            is_slow: true,
            ..case("bulk insert of 1,000 in one request", Kind::Write, bulks(askers))
        },
        case("upsert", Kind::Write, upserts(askers)),
        case("call of a function", Kind::Write, calls(askers)),
    ];
    if who == Who::Member {
        cases.push(case("the list over all one's customers", Kind::Read, wide_lists(askers)));
    }
    cases
}

const EMBEDS: &str = "id,number,subject,priority,state,opened_at,customers(name),ticket_events(kind,at)";

/// Of every person each ticket, so that requests differ.
fn each(askers: &[Asker], make: impl Fn(usize, &Asker, &(uuid::Uuid, uuid::Uuid)) -> Asked) -> Vec<Asked> {
    let mut asked = Vec::new();
    let most = askers.iter().map(|asker| asker.tickets.len()).max().unwrap_or(0);
    for n in 0..most {
        for asker in askers {
            if let Some(ticket) = asker.tickets.get(n) {
                asked.push(make(asked.len(), asker, ticket));
            }
        }
    }
    asked
}

fn keyed(askers: &[Asker]) -> Vec<Asked> {
    each(askers, |_, asker, (customer, id)| {
        Asked::get(format!("/rest/v1/tickets?customer_id=eq.{customer}&id=eq.{id}"), &asker.token)
    })
}

/// The owner's is of all customers; a member's of one, as the console asks.
fn lists(who: Who, askers: &[Asker], columns: &str) -> Vec<Asked> {
    each(askers, |turn, asker, (customer, _)| {
        let priority = PRIORITIES[turn % PRIORITIES.len()];
        let (scope, order) = match who {
            Who::Owner => (String::new(), "opened_at.desc.nullslast"),
            Who::Member => (format!("&customer_id=eq.{customer}"), "opened_at.desc"),
        };
        let path =
            format!("/rest/v1/tickets?select={columns}{scope}&priority=eq.{priority}&order={order}&limit=20");
        Asked::get(path, &asker.token)
    })
}

fn wide_lists(askers: &[Asker]) -> Vec<Asked> {
    each(askers, |turn, asker, _| {
        let priority = PRIORITIES[turn % PRIORITIES.len()];
        let path = format!(
            "/rest/v1/tickets?select={COLUMNS}&priority=eq.{priority}&order=opened_at.desc.nullslast&limit=20"
        );
        Asked::get(path, &asker.token)
    })
}

fn counts(askers: &[Asker]) -> Vec<Asked> {
    each(askers, |_, asker, (customer, _)| {
        let path = format!("/rest/v1/tickets?select=id&customer_id=eq.{customer}&limit=1");
        Asked::get(path, &asker.token).counted()
    })
}

fn new_ticket(customer: &uuid::Uuid, n: usize) -> serde_json::Value {
    json!({
        "customer_id": customer,
        "subject": format!("Measured {n}"),
        "description": "Opened by the benchmark. The printer on the third floor does not answer.",
        "priority": PRIORITIES[n % PRIORITIES.len()],
    })
}

fn inserts(askers: &[Asker]) -> Vec<Asked> {
    each(askers, |turn, asker, (customer, _)| {
        let body = new_ticket(customer, turn).to_string();
        Asked::post("/rest/v1/tickets".to_owned(), &asker.token, body).preferring("return=minimal")
    })
}

fn bulks(askers: &[Asker]) -> Vec<Asked> {
    let bulk = |asker: &Asker| {
        let (customer, _) = asker.tickets.first()?;
        let rows: Vec<_> = (0..BULK_ROWS).map(|n| new_ticket(customer, n)).collect();
        let body = serde_json::Value::from(rows).to_string();
        Some(Asked::post("/rest/v1/tickets".to_owned(), &asker.token, body).preferring("return=minimal"))
    };
    askers.iter().filter_map(bulk).take(BULKS).collect()
}

fn upserts(askers: &[Asker]) -> Vec<Asked> {
    each(askers, |turn, asker, (customer, id)| {
        let body = json!({
            "customer_id": customer,
            "id": id,
            "subject": format!("Written again {turn}"),
            "description": "Written by the benchmark.",
        });
        Asked::post("/rest/v1/tickets?on_conflict=customer_id,id".to_owned(), &asker.token, body.to_string())
            .preferring("return=minimal,resolution=merge-duplicates")
    })
}

fn calls(askers: &[Asker]) -> Vec<Asked> {
    let call =
        |asker: &Asker| Asked::post("/rest/v1/rpc/my_permissions".to_owned(), &asker.token, "{}".to_owned());
    askers.iter().map(call).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_eight_requests_and_a_wide_list() {
        let ticket = (uuid::Uuid::nil(), uuid::Uuid::nil());
        let askers = [Asker { token: "t".into(), tickets: vec![ticket; 3] }];
        assert_eq!(all(Who::Owner, &askers).len(), 8);
        let cases = all(Who::Member, &askers);
        assert_eq!(cases.len(), 9);
        assert_eq!(cases[0].asked.len(), 3);
        let bulk: Vec<serde_json::Value> =
            serde_json::from_str(cases[5].asked[0].body.as_deref().expect("a body")).expect("a list");
        assert_eq!(bulk.len(), BULK_ROWS);
    }
}
