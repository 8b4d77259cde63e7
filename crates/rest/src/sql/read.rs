use super::{Alias, Body, Sql, Told};
use pg::Pace;

use crate::{
    plan::{Embed, Order, OrderBy, Output, Presence, ReadPlan},
    request::{
        order::{Direction, Nulls},
        prefer::Count,
        select::{Join, Shape},
    },
    schema::{Link, Reach, Schema, Shares, quote},
};

/// Where the rows of the outermost relation come from.
#[derive(Clone, Copy)]
pub(super) enum Source<'s> {
    Relation,
    /// Text after `from`, up to the alias.
    Other(&'s str),
}

impl<'s> Source<'s> {
    fn of<'p: 's>(self, plan: &'p ReadPlan<'_>) -> &'s str {
        match self {
            Self::Relation => &plan.relation.sql,
            Self::Other(text) => text,
        }
    }

    fn alias(self, plan: &ReadPlan<'_>, sql: &mut Sql<'_>) -> Alias {
        match self {
            Self::Other(_) if plan.needs_row() => Alias::Kept(sql.number()),
            _ => sql.alias(),
        }
    }
}

/// Where a list of rows stands.
#[derive(Clone, Copy)]
pub(super) enum Place<'s, 'l> {
    Root(Source<'s>),
    /// The rows that belong to one row of the parent.
    Embedded(&'l Link, Alias),
}

/// Whether only the asked-for page of rows is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    Window,
    All,
}

/// `select total, count, body, location`, and what `told` says
pub fn read<'a>(
    mut sql: Sql<'a>,
    schema: &'a Schema,
    plan: &ReadPlan<'a>,
    count: Option<Count>,
    body: Body<'_>,
    rows_max: u32,
    told: Told,
) -> Sql<'a> {
    let mut writer = Reader { sql: &mut sql, schema };
    writer.sql.put("select ");
    match count {
        None | Some(Count::Planned) => writer.sql.put("null::int8"),
        Some(Count::Exact) => writer.total(plan, Source::Relation, None),
        Some(Count::Estimated) => writer.total(plan, Source::Relation, Some(u64::from(rows_max) + 1)),
    };
    writer.sql.put(",count(*),").body(body).put(",null::text").told(told).put(" from(");
    writer.rows(plan, Source::Relation);
    writer.sql.put(")as r");
    sql
}

/// The planner's opinion of how many rows there are.
pub fn estimate<'a>(mut sql: Sql<'a>, schema: &'a Schema, plan: &ReadPlan<'a>) -> Sql<'a> {
    let mut writer = Reader { sql: &mut sql, schema };
    writer.sql.put("explain (format json) select ");
    let alias = writer.sql.alias();
    writer.sql.fmt(format_args!("1 from {} as {alias}", plan.relation.sql));
    writer.filters(plan, alias, " where ");
    sql
}

pub(super) struct Reader<'s, 'a> {
    pub sql: &'s mut Sql<'a>,
    pub schema: &'a Schema,
}

impl<'a> Reader<'_, 'a> {
    /// `(select count(*) from …)`, counting at most `most`.
    pub fn total(&mut self, plan: &ReadPlan<'a>, source: Source<'_>, most: Option<u64>) -> &mut Sql<'a> {
        self.sql.put("(select count(*) from ");
        if plan.is_grouped() {
            self.sql.put("(");
            self.grouped(plan, Place::Root(source), Page::All);
            return self.sql.put(")as c)");
        }
        let alias = source.alias(plan, self.sql);
        if most.is_some() {
            self.sql.put("(select 1 from ");
        }
        self.sql.put(source.of(plan)).fmt(format_args!(" as {alias}"));
        self.filters(plan, alias, " where ");
        if let Some(most) = most {
            self.sql.put(" limit ").bind(most.to_string()).put(")as c");
        }
        self.sql.put(")")
    }

    /// `select … from … where … order by … limit … offset …`
    pub fn rows(&mut self, plan: &ReadPlan<'a>, source: Source<'_>) {
        self.select(plan, Place::Root(source));
    }

    fn select(&mut self, plan: &ReadPlan<'a>, place: Place<'_, '_>) {
        if plan.is_grouped() {
            return self.grouped(plan, place, Page::Window);
        }
        let alias = self.alias_at(plan, place);
        let spreads = self.outputs(plan, alias);
        if let (Place::Root(Source::Relation), Some(shares)) = (place, plan.shares) {
            self.merged(plan, shares, alias);
            self.spreads(plan, alias, &spreads);
        } else {
            self.from(plan, place, alias);
            self.spreads(plan, alias, &spreads);
            self.conditions(plan, place, alias);
        }
        self.order(plan, alias);
        self.page(plan, place);
    }

    pub(super) fn alias_at(&mut self, plan: &ReadPlan<'a>, place: Place<'_, '_>) -> Alias {
        match place {
            Place::Root(source) => source.alias(plan, self.sql),
            Place::Embedded(..) => self.sql.alias(),
        }
    }

    pub(super) fn from(&mut self, plan: &ReadPlan<'a>, place: Place<'_, '_>, alias: Alias) {
        match place {
            Place::Root(source) => {
                self.sql.put(" from ").put(source.of(plan)).fmt(format_args!(" as {alias}"));
            }
            Place::Embedded(link, parent) => self.origin(plan, link, parent, alias),
        }
    }

    /// ` from(` the first rows of each share, as far as the page reaches `)as t0`
    fn merged(&mut self, plan: &ReadPlan<'a>, shares: &Shares, alias: Alias) {
        let (keys, row, share) = (self.sql.alias(), self.sql.alias(), self.sql.alias());
        self.sql.fmt(format_args!(
            " from(select {share}.* from(select distinct unnest((select {})::uuid[])as key)as {keys} cross join lateral(select * from {} as {row} where {row}.{}={keys}.key",
            shares.keys, plan.relation.sql, shares.column_sql
        ));
        self.filters(plan, row, " and ");
        self.order(plan, row);
        let rows = plan.window.limit.unwrap_or_default().saturating_add(plan.window.offset);
        self.sql.put(" limit ");
        self.row_count(plan, rows).fmt(format_args!(")as {share})as {alias}"));
    }

    /// A number of rows. What an index gives in its order has the same plan for all values of its filters. PostgreSQL keeps that one, instead of
    /// planning anew for each request, only when it knows how few rows are wanted; the usual numbers are few, and so are the statements.
    fn row_count(&mut self, plan: &ReadPlan<'a>, rows: u64) -> &mut Sql<'a> {
        let is_usual = plan.window.offset == 0 && (rows <= 10 || rows.is_multiple_of(5));
        if is_usual && plan.pace() == Pace::Page {
            self.sql.fmt(format_args!("{rows}"))
        } else {
            self.sql.bind(rows.to_string())
        }
    }

    /// ` from "schema"."name" as t1`, or the function that finds the rows of the parent's row.
    fn origin(&mut self, plan: &ReadPlan<'a>, link: &Link, parent: Alias, alias: Alias) {
        self.sql.put(" from ");
        match &link.call {
            None => self.sql.put(&plan.relation.sql),
            Some(function) => self.sql.put(function).put("(").whole_row(parent).put(")"),
        };
        self.sql.fmt(format_args!(" as {alias}"));
    }

    pub(super) fn conditions(&mut self, plan: &ReadPlan<'a>, place: Place<'_, '_>, alias: Alias) {
        match place {
            Place::Root(_) => self.filters(plan, alias, " where "),
            Place::Embedded(link, parent) => {
                self.linked(link, parent, alias);
                self.filters(plan, alias, " and ");
            }
        }
    }

    pub(super) fn page(&mut self, plan: &ReadPlan<'a>, place: Place<'_, '_>) {
        match place {
            // A view may show a key twice; one is wanted.
            Place::Embedded(link, _) if link.reach == Reach::One => {
                self.sql.put(" limit 1");
            }
            _ => self.window(plan),
        }
    }

    pub fn window(&mut self, plan: &ReadPlan<'a>) {
        if let Some(limit) = plan.window.limit {
            self.sql.put(" limit ");
            self.row_count(plan, limit);
        }
        if plan.window.offset > 0 {
            self.sql.put(" offset ").bind(plan.window.offset.to_string());
        }
    }

    /// Writes `select …`; the names given to spread embeds, in their order.
    fn outputs(&mut self, plan: &ReadPlan<'a>, alias: Alias) -> Vec<(usize, Alias)> {
        let mut spreads = Vec::new();
        self.sql.put("select ");
        for (position, output) in plan.outputs.iter().enumerate() {
            if position > 0 {
                self.sql.put(",");
            }
            match output {
                Output::All => self.all(plan, alias),
                Output::Column { of, cast, name } => {
                    self.sql.column(*of, alias);
                    if let Some(cast) = cast {
                        self.sql.put("::").put(cast);
                    }
                    if let Some(name) = name {
                        self.sql.put(" as ").put(&quote(name));
                    }
                }
                Output::Embed(index) => {
                    let embed = &plan.embeds[*index];
                    match embed.item.shape {
                        Shape::Nested => {
                            self.nested(embed, alias);
                            self.sql.put(" as ").put(&quote(embed.item.name()));
                        }
                        Shape::Spread => {
                            let spread = self.sql.alias();
                            self.sql.fmt(format_args!("{spread}.*"));
                            spreads.push((*index, spread));
                        }
                    }
                }
                Output::Aggregate { .. } => {}
            }
        }
        spreads
    }

    /// All columns. Kept rows have one more than their relation.
    fn all(&mut self, plan: &ReadPlan<'a>, alias: Alias) {
        match alias {
            Alias::Kept(_) => {
                self.sql.list(",", plan.relation.columns.values(), |sql, column| {
                    sql.fmt(format_args!("{alias}.{}", column.sql));
                });
            }
            Alias::Numbered(_) | Alias::Written | Alias::Body => {
                self.sql.fmt(format_args!("{alias}.*"));
            }
        }
    }

    /// An embedded resource as a scalar sub-select: PostgreSQL evaluates it for the answered rows only, after the limit.
    pub(super) fn nested(&mut self, embed: &Embed<'a>, parent: Alias) {
        let row = self.sql.alias();
        match embed.link.reach {
            Reach::One => self.sql.fmt(format_args!("(select row_to_json({row}.*) from(")),
            Reach::Many => self.sql.fmt(format_args!("(select coalesce(json_agg({row}.*),'[]') from(")),
        };
        self.select(&embed.plan, Place::Embedded(embed.link, parent));
        self.sql.fmt(format_args!(")as {row})"));
    }

    fn spreads(&mut self, plan: &ReadPlan<'a>, alias: Alias, spreads: &[(usize, Alias)]) {
        for (index, spread) in spreads {
            self.sql.put(" left join lateral (");
            self.spread(&plan.embeds[*index], alias);
            self.sql.fmt(format_args!(") as {spread} on true"));
        }
    }

    /// The columns of one row; of many rows, each column as a list of its values.
    pub(super) fn spread(&mut self, embed: &Embed<'a>, parent: Alias) {
        if embed.link.reach == Reach::One {
            return self.select(&embed.plan, Place::Embedded(embed.link, parent));
        }
        let row = self.sql.alias();
        self.sql.put("select ").list(",", embed.plan.names(), |sql, name| {
            let name = quote(name);
            sql.fmt(format_args!("coalesce(json_agg({row}.{name}),'[]') as {name}"));
        });
        self.sql.put(" from(");
        self.select(&embed.plan, Place::Embedded(embed.link, parent));
        self.sql.fmt(format_args!(")as {row}"));
    }

    /// ` where …` that ties a row to its parent's row, over a junction if need be.
    fn linked(&mut self, link: &Link, parent: Alias, alias: Alias) {
        let equal = |sql: &mut Sql<'a>, (here, there): &(String, String), near: Alias, far: Alias| {
            sql.fmt(format_args!("{far}.{}={near}.{}", quote(there), quote(here)));
        };
        match &link.through {
            None if link.call.is_some() => {
                self.sql.put(" where true");
            }
            None => {
                self.sql
                    .put(" where ")
                    .list(" and ", &link.pairs, |sql, pair| equal(sql, pair, parent, alias));
            }
            Some(through) => {
                let junction = self.sql.alias();
                self.sql
                    .fmt(format_args!(" join {} as {junction} on ", self.schema.at(through.relation).sql));
                self.sql.list(" and ", &through.far, |sql, pair| equal(sql, pair, junction, alias));
                self.sql
                    .put(" where ")
                    .list(" and ", &through.near, |sql, pair| equal(sql, pair, parent, junction));
            }
        }
    }

    /// The conditions of a plan and what its inner embeds demand, after `start`.
    pub(super) fn filters(&mut self, plan: &ReadPlan<'a>, alias: Alias, start: &str) {
        let mut separator = start;
        for condition in &plan.filters {
            self.sql.put(separator);
            separator = " and ";
            let schema = self.schema;
            self.sql.condition(condition, alias, &mut |sql, index, presence| {
                Reader { sql, schema }.exists(&plan.embeds[index], alias, presence);
            });
        }
        for embed in plan.embeds.iter().filter(|embed| embed.item.join == Join::Inner) {
            self.sql.put(separator);
            separator = " and ";
            self.exists(embed, alias, Presence::Some);
        }
    }

    fn exists(&mut self, embed: &Embed<'a>, parent: Alias, presence: Presence) {
        if presence == Presence::None {
            self.sql.put("not ");
        }
        let alias = self.sql.alias();
        self.sql.put("exists(select 1");
        self.origin(&embed.plan, embed.link, parent, alias);
        self.linked(embed.link, parent, alias);
        self.filters(&embed.plan, alias, " and ");
        self.sql.put(")");
    }

    pub(super) fn order(&mut self, plan: &ReadPlan<'a>, alias: Alias) {
        if plan.order.is_empty() {
            return;
        }
        self.sql.put(" order by ");
        for (position, term) in plan.order.iter().enumerate() {
            if position > 0 {
                self.sql.put(",");
            }
            self.term(plan, term, alias);
        }
    }

    fn term(&mut self, plan: &ReadPlan<'a>, term: &Order<'a>, alias: Alias) {
        match &term.by {
            OrderBy::Own(of) => {
                self.sql.column(*of, alias);
            }
            OrderBy::Related { index, of } => {
                let embed = &plan.embeds[*index];
                let related = self.sql.alias();
                self.sql.put("(select ").column(*of, related);
                self.origin(&embed.plan, embed.link, alias, related);
                self.linked(embed.link, alias, related);
                self.filters(&embed.plan, related, " and ");
                self.sql.put(" limit 1)");
            }
        }
        self.direction(term);
    }

    pub(super) fn direction(&mut self, term: &Order<'a>) {
        self.sql.put(match term.direction {
            Some(Direction::Ascending) => " asc",
            Some(Direction::Descending) => " desc",
            None => "",
        });
        self.sql.put(match term.nulls {
            Some(Nulls::First) => " nulls first",
            Some(Nulls::Last) => " nulls last",
            None => "",
        });
    }
}
