use std::cmp::min;

use kernel::ApiError;
use pg::Pace;

use super::find;
use crate::{
    config::{Aggregates, RestConfig},
    error,
    request::{
        Window,
        field::{Field, JsonStep},
        filter::{Is, Junctor, Logic, Op, Sense, Test},
        order::{Direction, Nulls, OrderTerm},
        query::{Level, Query},
        select::{Aggregate, EmbedItem, Item, Join, Shape},
    },
    schema::{Column, Link, Reach, Relation, Schema, Shares, Side, Stored, Stores},
};

/// The furthest row of a page that is merged from shares: each may have to give as many.
const MERGED_ROWS_MAX: u64 = 200;
/// The furthest row of a list that others may wait behind.
const WALKED_ROWS_MAX: u64 = 50;

/// What to read of one relation, and of what is embedded in it.
#[derive(Debug)]
pub struct ReadPlan<'a> {
    pub relation: &'a Relation,
    pub outputs: Vec<Output<'a>>,
    pub embeds: Vec<Embed<'a>>,
    pub filters: Vec<Condition<'a>>,
    pub order: Vec<Order<'a>>,
    pub window: Window,
    /// Set by [`ReadPlan::share_out`].
    pub shares: Option<&'a Shares>,
}

#[derive(Debug)]
pub enum Output<'a> {
    All,
    Column {
        of: ColumnRef<'a>,
        cast: Option<&'a str>,
        /// `None` when PostgreSQL names it right by itself.
        name: Option<&'a str>,
    },
    /// Index into [`ReadPlan::embeds`].
    Embed(usize),
    /// Over all rows that have the other outputs in common.
    Aggregate {
        function: Aggregate,
        /// `None` counts rows.
        of: Option<ColumnRef<'a>>,
        cast: Option<&'a str>,
        out_cast: Option<&'a str>,
        name: &'a str,
    },
}

#[derive(Clone, Copy, Debug)]
pub struct ColumnRef<'a> {
    pub column: &'a Column,
    pub path: &'a [JsonStep],
}

#[derive(Debug)]
pub struct Embed<'a> {
    pub item: &'a EmbedItem,
    pub link: &'a Link,
    pub plan: ReadPlan<'a>,
}

#[derive(Debug)]
pub enum Condition<'a> {
    Test {
        of: ColumnRef<'a>,
        sense: Sense,
        test: &'a Test,
    },
    Node {
        sense: Sense,
        join: Junctor,
        children: Vec<Self>,
    },
    /// Whether the embedded resource has a row. Index into [`ReadPlan::embeds`].
    Embed {
        index: usize,
        presence: Presence,
    },
}

impl Condition<'_> {
    fn any_column(&self, test: &impl Fn(&ColumnRef<'_>) -> bool) -> bool {
        match self {
            Self::Test { of, .. } => test(of),
            Self::Node { children, .. } => children.iter().any(|child| child.any_column(test)),
            Self::Embed { .. } => false,
        }
    }

    fn has_embed(&self) -> bool {
        match self {
            Self::Test { .. } => false,
            Self::Node { children, .. } => children.iter().any(Self::has_embed),
            Self::Embed { .. } => true,
        }
    }

    /// Whether it says that `column` has one value.
    fn is_equality(&self, column: &str) -> bool {
        match self {
            Self::Test {
                of,
                sense: Sense::Plain,
                test: Test::Compare { op: Op::Eq, quantifier: None, .. },
            } => of.path.is_empty() && of.column.name == column,
            _ => false,
        }
    }
}

impl PartialEq for ColumnRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.column.sql == other.column.sql && self.path == other.path
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    Some,
    None,
}

#[derive(Debug)]
pub struct Order<'a> {
    pub by: OrderBy<'a>,
    pub direction: Option<Direction>,
    pub nulls: Option<Nulls>,
}

#[derive(Debug)]
pub enum OrderBy<'a> {
    Own(ColumnRef<'a>),
    /// A column of the one row of an embedded resource.
    Related {
        index: usize,
        of: ColumnRef<'a>,
    },
}

/// Plans the rows of `relation` as `query` describes them, at most `config.rows_max` per list.
pub fn read<'a>(
    schema: &'a Schema,
    relation: &'a Relation,
    query: &'a Query,
    config: &RestConfig,
) -> Result<ReadPlan<'a>, ApiError> {
    let mut planner =
        Planner { schema, levels: &query.levels, is_used: vec![false; query.levels.len()], config };
    let items = query.select.as_deref().filter(|items| !items.is_empty());
    let plan = planner.node(relation, items, &mut Vec::new())?;
    match planner.is_used.iter().position(|is_used| !is_used) {
        Some(at) => Err(error::not_embedded(&query.levels[at].path.join("."))),
        None => Ok(plan),
    }
}

struct Planner<'a, 'c> {
    schema: &'a Schema,
    levels: &'a [Level],
    is_used: Vec<bool>,
    config: &'c RestConfig,
}

impl<'a> Planner<'a, '_> {
    /// `items` of `None` means everything; `path` leads from the root to this node.
    fn node(
        &mut self,
        relation: &'a Relation,
        items: Option<&'a [Item]>,
        path: &mut Vec<&'a EmbedItem>,
    ) -> Result<ReadPlan<'a>, ApiError> {
        let mut plan = ReadPlan {
            relation,
            outputs: Vec::new(),
            embeds: Vec::new(),
            filters: Vec::new(),
            order: Vec::new(),
            window: Window { offset: 0, limit: Some(u64::from(self.config.rows_max)) },
            shares: None,
        };
        if items.is_none() {
            plan.outputs.push(Output::All);
        }
        for item in items.unwrap_or_default() {
            match item {
                Item::All => plan.outputs.push(Output::All),
                // `tickets(count)`, as clients wrote before there was `count()`.
                Item::Column { field, alias, cast: None }
                    if field.name == "count"
                        && field.path.is_empty()
                        && relation.column("count").is_err() =>
                {
                    if self.config.aggregates == Aggregates::Refuse {
                        return Err(error::aggregates_off());
                    }
                    plan.outputs.push(Output::Aggregate {
                        function: Aggregate::Count,
                        of: None,
                        cast: None,
                        out_cast: None,
                        name: alias.as_deref().unwrap_or("count"),
                    });
                }
                Item::Column { field, alias, cast } => {
                    let cast = cast.as_deref().map(|name| self.schema.cast(name)).transpose()?;
                    plan.outputs.push(output(relation, field, alias.as_deref(), cast)?);
                }
                Item::Aggregate { function, field, alias, cast, out_cast } => {
                    let cast = cast.as_deref().map(|name| self.schema.cast(name)).transpose()?;
                    let out_cast = out_cast.as_deref().map(|name| self.schema.cast(name)).transpose()?;
                    let of = field.as_ref().map(|field| column(relation, field)).transpose()?;
                    let name = alias.as_deref().unwrap_or(function.name());
                    plan.outputs.push(Output::Aggregate { function: *function, of, cast, out_cast, name });
                }
                Item::Embed(item) => self.embed(&mut plan, item, path)?,
            }
        }
        self.levels_of(&mut plan, path)?;
        if plan.is_grouped() {
            for order in &plan.order {
                plan.key_of(order)?;
            }
        }
        Ok(plan)
    }

    fn embed(
        &mut self,
        plan: &mut ReadPlan<'a>,
        item: &'a EmbedItem,
        path: &mut Vec<&'a EmbedItem>,
    ) -> Result<(), ApiError> {
        let link = find::link(self.schema, plan.relation, item)?;
        path.push(item);
        let embedded = self.node(self.schema.at(link.to), Some(&item.items), path)?;
        path.pop();
        if item.shape == Shape::Spread && link.reach == Reach::Many && embedded.is_grouped() {
            return Err(error::not_implemented(
                "Aggregates are not implemented for one-to-many or many-to-many spreads.",
            ));
        }
        // `customers()` is there for its filters only.
        if !item.items.is_empty() {
            plan.outputs.push(Output::Embed(plan.embeds.len()));
        }
        plan.embeds.push(Embed { item, link, plan: embedded });
        Ok(())
    }

    fn levels_of(&mut self, plan: &mut ReadPlan<'a>, path: &[&EmbedItem]) -> Result<(), ApiError> {
        let levels = self.levels;
        for (at, level) in levels.iter().enumerate() {
            let is_here = level.path.len() == path.len()
                && level
                    .path
                    .iter()
                    .zip(path)
                    .all(|(name, item)| name == item.name() || *name == item.target);
            if !is_here {
                continue;
            }
            self.is_used[at] = true;
            for logic in &level.filters {
                plan.filters.push(condition(plan, logic)?);
            }
            for term in &level.order {
                plan.order.push(order(plan, term)?);
            }
            let most = u64::from(self.config.rows_max);
            plan.window.limit = Some(level.limit.map_or(most, |limit| min(limit, most)));
            plan.window.offset = level.offset.unwrap_or(0);
        }
        Ok(())
    }
}

fn output<'a>(
    relation: &'a Relation,
    field: &'a Field,
    alias: Option<&'a str>,
    cast: Option<&'a str>,
) -> Result<Output<'a>, ApiError> {
    let of = column(relation, field)?;
    let needs_name =
        alias.is_some() || cast.is_some() || !field.path.is_empty() || of.column.stored == Stored::Computed;
    Ok(Output::Column { of, cast, name: needs_name.then(|| alias.unwrap_or_else(|| field.output_name())) })
}

fn column<'a>(relation: &'a Relation, field: &'a Field) -> Result<ColumnRef<'a>, ApiError> {
    Ok(ColumnRef { column: relation.column(&field.name)?, path: &field.path })
}

/// A condition of the relation of `plan`, whose embeds are known already.
pub fn condition<'a>(plan: &ReadPlan<'a>, logic: &'a Logic) -> Result<Condition<'a>, ApiError> {
    match logic {
        Logic::Node { sense, join, children } => {
            let children = children.iter().map(|child| condition(plan, child)).collect::<Result<_, _>>()?;
            Ok(Condition::Node { sense: *sense, join: *join, children })
        }
        Logic::Leaf(filter) => {
            let name = &filter.field.name;
            if let Some(index) = embed_named(plan, name).filter(|_| !plan.relation.columns.contains_key(name))
            {
                let presence = match (&filter.test, filter.sense) {
                    (Test::Is(Is::Null), Sense::Plain) | (Test::Is(Is::NotNull), Sense::Negated) => {
                        Presence::None
                    }
                    (Test::Is(Is::Null), Sense::Negated) | (Test::Is(Is::NotNull), Sense::Plain) => {
                        Presence::Some
                    }
                    _ => return Err(error::only_null_tests(name)),
                };
                return Ok(Condition::Embed { index, presence });
            }
            Ok(Condition::Test {
                of: column(plan.relation, &filter.field)?,
                sense: filter.sense,
                test: &filter.test,
            })
        }
    }
}

pub fn order<'a>(plan: &ReadPlan<'a>, term: &'a OrderTerm) -> Result<Order<'a>, ApiError> {
    let by = match &term.embed {
        None => OrderBy::Own(column(plan.relation, &term.field)?),
        Some(name) => {
            let index = embed_named(plan, name).ok_or_else(|| error::not_embedded(name))?;
            let embed = &plan.embeds[index];
            if embed.link.reach == Reach::Many {
                return Err(error::order_needs_one(name));
            }
            OrderBy::Related { index, of: column(embed.plan.relation, &term.field)? }
        }
    };
    Ok(Order { by, direction: term.direction, nulls: term.nulls })
}

fn embed_named(plan: &ReadPlan<'_>, name: &str) -> Option<usize> {
    plan.embeds.iter().position(|embed| embed.item.name() == name || embed.item.target == name)
}

impl<'a> Embed<'a> {
    pub fn is_spread_of(&self, reach: Reach) -> bool {
        self.item.shape == Shape::Spread && self.link.reach == reach
    }
}

impl<'a> ReadPlan<'a> {
    /// Whether one row at most is read, by the equality of its whole primary key.
    pub fn is_keyed(&self) -> bool {
        let is_given = |name: &String| self.filters.iter().any(|condition| condition.is_equality(name));
        !self.relation.primary_key.is_empty() && self.relation.primary_key.iter().all(is_given)
    }

    /// Short is what has nothing to work out: one row of a table by its key, or a few rows of one share, or of each, that an index
    /// gives in their order.
    pub fn pace(&self) -> Pace {
        let is_stored = |output: &Output<'_>| match output {
            Output::All => true,
            Output::Column { of, .. } => of.column.stored == Stored::Yes,
            Output::Embed(_) | Output::Aggregate { .. } => false,
        };
        let is_plain = self.relation.stores == Stores::Rows
            && self.outputs.iter().all(is_stored)
            && self.embeds.is_empty();
        if is_plain && self.is_keyed() && self.filters.len() == self.relation.primary_key.len() {
            Pace::Row
        } else if is_plain && self.relation.shares.as_ref().is_some_and(|shares| self.is_walked(shares)) {
            Pace::Page
        } else {
            Pace::Unknown
        }
    }

    /// Whether an index begins with the share, then has what the filters want, then the order.
    fn is_walked(&self, shares: &Shares) -> bool {
        let is_one = self.filters.iter().any(|filter| filter.is_equality(&shares.column));
        if !is_one && self.shares.is_none() {
            return false;
        }
        let wanted_count = self.filters.len() - usize::from(is_one);
        let wants = |column: &String| self.filters.iter().any(|filter| filter.is_equality(column));
        let leads = |column: &String| match self.order.first().map(|order| &order.by) {
            Some(OrderBy::Own(of)) => of.path.is_empty() && of.column.name == *column,
            _ => false,
        };
        let walks = |index: &Vec<String>| {
            let Some((share, rest)) = index.split_first() else { return false };
            let Some((wanted, ordered)) = rest.split_at_checked(wanted_count) else { return false };
            *share == shares.column && wanted.iter().all(wants) && ordered.first().is_some_and(leads)
        };
        self.window.limit.is_some_and(|limit| limit.saturating_add(self.window.offset) <= WALKED_ROWS_MAX)
            && self.relation.walks.iter().any(walks)
    }

    /// For a member: the page is merged from the first pages of each of their shares, when that gives the same rows.
    pub fn share_out(&mut self) {
        let Some(shares) = &self.relation.shares else { return };
        let is_own = |order: &Order<'_>| matches!(order.by, OrderBy::Own(_));
        let rows = self.window.limit.map(|limit| limit.saturating_add(self.window.offset));
        let is_merged = !self.order.is_empty()
            && self.order.iter().all(is_own)
            && rows.is_some_and(|rows| rows <= MERGED_ROWS_MAX)
            && !self
                .filters
                .iter()
                .any(|condition| condition.has_embed() || condition.is_equality(&shares.column))
            && self.embeds.iter().all(|embed| embed.item.join != Join::Inner)
            && !self.is_grouped()
            && !self.needs_row();
        self.shares = is_merged.then_some(shares);
    }

    /// Whether rows are put together: an aggregate stands here, or in a spread whose columns count as columns of here.
    pub fn is_grouped(&self) -> bool {
        self.outputs.iter().any(|output| match output {
            Output::Aggregate { .. } => true,
            Output::Embed(index) => {
                let embed = &self.embeds[*index];
                embed.is_spread_of(Reach::One) && embed.plan.is_grouped()
            }
            Output::All | Output::Column { .. } => false,
        })
    }

    /// Grouped rows can only be ordered by a column that they are grouped by.
    pub fn key_of(&self, order: &Order<'a>) -> Result<ColumnRef<'a>, ApiError> {
        if let OrderBy::Own(by) = &order.by {
            let is_key = self.outputs.iter().any(|output| match output {
                Output::All => by.column.stored == Stored::Yes && by.path.is_empty(),
                Output::Column { of, cast: None, .. } => of == by,
                _ => false,
            });
            if is_key {
                return Ok(*by);
            }
            return Err(error::not_grouped(&by.column.sql));
        }
        Err(error::not_grouped("the related column"))
    }

    /// The keys of one answered row, in order, spread columns included.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for output in &self.outputs {
            match output {
                Output::All => names.extend(self.relation.columns.keys().map(String::as_str)),
                Output::Column { name: Some(name), .. } | Output::Aggregate { name, .. } => names.push(name),
                Output::Column { of, .. } => names.push(&of.column.name),
                Output::Embed(index) => {
                    let embed = &self.embeds[*index];
                    match embed.item.shape {
                        Shape::Nested => names.push(embed.item.name()),
                        Shape::Spread => names.extend(embed.plan.names()),
                    }
                }
            }
        }
        names
    }

    /// Whether something of this level is a function of the whole row.
    pub fn needs_row(&self) -> bool {
        let is_computed = |of: &ColumnRef<'_>| of.column.stored == Stored::Computed;
        self.embeds.iter().any(|embed| embed.link.side == Side::Computed)
            || self.outputs.iter().any(|output| match output {
                Output::Column { of, .. } | Output::Aggregate { of: Some(of), .. } => is_computed(of),
                _ => false,
            })
            || self.order.iter().any(|order| matches!(&order.by, OrderBy::Own(of) if is_computed(of)))
            || self.filters.iter().any(|condition| condition.any_column(&is_computed))
    }

    /// Narrows the page to what a `Range` header asks for.
    pub fn narrow(&mut self, range: Window) {
        self.window.offset = self.window.offset.saturating_add(range.offset);
        if let Some(limit) = range.limit {
            self.window.limit = Some(self.window.limit.map_or(limit, |most| min(most, limit)));
        }
    }
}
