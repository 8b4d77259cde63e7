//! Ways between relations: foreign keys, inherited by views, and junctions of two foreign keys.
use std::collections::HashMap;

use super::{RelationId, catalog::RawForeignKey};

/// One way from a relation to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub to: RelationId,
    /// Name of the foreign key; of the junction for [`Link::through`].
    pub constraint: String,
    /// Column here, column there.
    pub pairs: Vec<(String, String)>,
    pub side: Side,
    pub reach: Reach,
    pub through: Option<Through>,
    /// The function `"schema"."name"` of [`Side::Computed`].
    pub call: Option<String>,
}

/// Which end holds the foreign key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Here,
    There,
    Between,
    /// Neither: a function of the row finds them.
    Computed,
}

/// How many rows there may be at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    One,
    Many,
}

/// A table or view between the two: its rows name one of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Through {
    pub relation: RelationId,
    pub name: String,
    /// Column here, column of the junction.
    pub near: Vec<(String, String)>,
    /// Column of the junction, column there.
    pub far: Vec<(String, String)>,
    pub constraints: [String; 2],
}

/// Same columns shown several times by one view multiply its ways; more than this is a catalog nobody reads.
const WAYS_PER_KEY_MAX: usize = 8;

/// A served relation with the base columns it shows: (base relation, base column) to names here.
pub struct Shown {
    pub id: RelationId,
    pub columns: HashMap<(i64, i16), Vec<String>>,
    /// Primary keys of the base tables that it shows whole, by its own names.
    pub keys: Vec<Vec<String>>,
    pub name: String,
}

/// All ways, by the relation they start from. `is_unique` says whether these columns of a base relation are a key of it.
pub fn all(
    shown: &[Shown],
    foreign_keys: &[RawForeignKey],
    is_unique: impl Fn(i64, &[i16]) -> bool,
    relations: usize,
) -> Vec<Vec<Link>> {
    let mut links: Vec<Vec<Link>> = vec![Vec::new(); relations];
    for key in foreign_keys {
        let reach_back = if is_unique(key.from, &key.from_columns) { Reach::One } else { Reach::Many };
        let ends: Vec<_> = shown
            .iter()
            .flat_map(|there| {
                columns_of(there, key.to, &key.to_columns).into_iter().map(move |names| (there, names))
            })
            .collect();
        for here in shown {
            for from in columns_of(here, key.from, &key.from_columns) {
                for (there, to) in &ends {
                    let pairs: Vec<_> = from.iter().cloned().zip(to.iter().cloned()).collect();
                    let back = pairs.iter().map(|(a, b)| (b.clone(), a.clone())).collect();
                    links[here.id].push(Link {
                        to: there.id,
                        constraint: key.name.clone(),
                        pairs,
                        side: Side::Here,
                        reach: Reach::One,
                        through: None,
                        call: None,
                    });
                    links[there.id].push(Link {
                        to: here.id,
                        constraint: key.name.clone(),
                        pairs: back,
                        side: Side::There,
                        reach: reach_back,
                        through: None,
                        call: None,
                    });
                }
            }
        }
    }
    let mut between = Vec::new();
    for junction in shown {
        add_junction(junction, &links[junction.id], &mut between);
    }
    for (from, link) in between {
        links[from].push(link);
    }
    links
}

/// A table is a junction when two of its foreign keys lie in its primary key; a view when it shows all of that.
fn add_junction(junction: &Shown, links: &[Link], between: &mut Vec<(RelationId, Link)>) {
    for key in &junction.keys {
        let in_key =
            |link: &&Link| link.side == Side::Here && link.pairs.iter().all(|(here, _)| key.contains(here));
        add_ends(junction, &links.iter().filter(in_key).collect::<Vec<_>>(), between);
    }
}

fn add_ends(junction: &Shown, ends: &[&Link], between: &mut Vec<(RelationId, Link)>) {
    for near in ends {
        for far in ends.iter().filter(|far| far.constraint != near.constraint) {
            let link = Link {
                to: far.to,
                constraint: junction.name.clone(),
                pairs: Vec::new(),
                side: Side::Between,
                reach: Reach::Many,
                through: Some(Through {
                    relation: junction.id,
                    name: junction.name.clone(),
                    near: near.pairs.iter().map(|(junction, end)| (end.clone(), junction.clone())).collect(),
                    far: far.pairs.clone(),
                    constraints: [near.constraint.clone(), far.constraint.clone()],
                }),
                call: None,
            };
            between.push((near.to, link));
        }
    }
}

/// The names under which a relation shows these base columns: one list per combination, empty when one is not shown.
fn columns_of(shown: &Shown, base: i64, numbers: &[i16]) -> Vec<Vec<String>> {
    let mut lists: Vec<Vec<String>> = vec![Vec::new()];
    for number in numbers {
        let Some(names) = shown.columns.get(&(base, *number)) else { return Vec::new() };
        lists = lists
            .iter()
            .flat_map(|list| names.iter().map(|name| list.iter().cloned().chain([name.clone()]).collect()))
            .take(WAYS_PER_KEY_MAX)
            .collect();
    }
    lists
}
