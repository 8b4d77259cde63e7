//! Policy stories (`db/tests/stories/*.sql`): who tries what, and what comes of it. Each is one statement:
//!
//! ```sql
//! -- A portal user does not read internal notes.
//! -- given: update public.ticket_events set is_internal = true
//! -- as: authenticated(portal_admin)
//! select from public.ticket_events
//! -- gives: 0
//! ```
//! `given` happens before, as superuser with triggers asleep. The seeded rows are named `:whose.table.column` with
//! `mine`, `colleague` (the actor's customer) or `foreign` (another customer). The outcome is a number of rows,
//! `refused`, or an SQLSTATE.
use testkit::rows::{Seeds, Whose};

use crate::{
    probe::{ACTORS, Probe, Seat},
    support::files,
};

#[derive(Debug, Default)]
pub struct Story {
    title: String,
    given: Vec<String>,
    pub actor: String,
    sql: String,
    gives: String,
}

/// Every story of the repository.
pub fn all() -> Vec<Story> {
    files("tests/stories", "sql").iter().flat_map(|(name, text)| parse(name, text)).collect()
}

fn parse(file: &str, text: &str) -> Vec<Story> {
    let mut stories = Vec::new();
    let mut story = Story::default();
    for line in text.lines() {
        if let Some(given) = line.strip_prefix("-- given: ") {
            story.given.push(given.to_owned());
        } else if let Some(actor) = line.strip_prefix("-- as: ") {
            assert!(ACTORS.iter().any(|known| known.label == actor), "{file}: nobody is {actor}");
            actor.clone_into(&mut story.actor);
        } else if let Some(gives) = line.strip_prefix("-- gives: ") {
            story.gives = if gives == "refused" { "42501".to_owned() } else { gives.to_owned() };
            let story = std::mem::take(&mut story);
            assert!(
                !story.actor.is_empty() && !story.sql.is_empty() && !story.title.is_empty(),
                "{file}: {story:?}"
            );
            stories.push(story);
        } else if let Some(title) = line.strip_prefix("-- ") {
            story.title = format!("{file}: {title}");
        } else {
            story.sql.push_str(line);
            story.sql.push('\n');
        }
    }
    assert!(story.sql.trim().is_empty(), "{file}: a story without `-- gives:`: {story:?}");
    stories
}

impl Story {
    /// `Err` says what happened instead.
    pub async fn tell(&self, seat: &Seat<'_>) -> Result<(), String> {
        let given = fill(&self.given.join(";"), &seat.seeds);
        let outcome = seat.attempts(&[(given, fill(&self.sql, &seat.seeds))]).await.remove(0);
        if outcome == self.gives {
            return Ok(());
        }
        Err(format!("{} As {} it gives {outcome}, not {}.", self.title, self.actor, self.gives))
    }
}

/// Replaces `:whose.table.column` by the seeded row's literal. Table names are unique enough without their schema.
fn fill(sql: &str, seeds: &Seeds) -> String {
    let mut filled = String::new();
    let mut rest = sql;
    while let Some(at) = rest.find(':') {
        let (before, after) = rest.split_at(at);
        filled.push_str(before);
        let name: String =
            after[1..].chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')).collect();
        let mut parts = name.split('.');
        let whose = match parts.next() {
            Some("mine") => Some(Whose::Mine),
            Some("colleague") => Some(Whose::Colleague),
            Some("foreign") => Some(Whose::Foreign),
            _ => None,
        };
        match (whose, parts.next(), parts.next()) {
            (Some(whose), Some(table), Some(column)) => {
                let schemas = ["public", "auth", "flow", "audit", "vault", "app", "storage"];
                let found = schemas
                    .iter()
                    .find_map(|schema| seeds.literal(&format!("{schema}.{table}"), whose, column));
                filled.push_str(found.unwrap_or_else(|| panic!("no seeded :{name}")));
                rest = &after[1 + name.len()..];
            }
            _ => {
                filled.push(':');
                rest = &after[1..];
            }
        }
    }
    filled + rest
}

#[tokio::test]
async fn every_policy_story_ends_as_told() {
    let probe = Probe::new().await;
    let stories = all();
    let mut wrong = Vec::new();
    for actor in ACTORS {
        let seat = probe.enter(actor).await;
        for story in stories.iter().filter(|story| story.actor == actor.label) {
            wrong.extend(story.tell(&seat).await.err());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_story_without_an_outcome_is_refused() {
    let unfinished = "-- Somebody tries.\n-- as: system\nselect 1\n";
    assert!(std::panic::catch_unwind(|| parse("a file", unfinished)).is_err());
}
