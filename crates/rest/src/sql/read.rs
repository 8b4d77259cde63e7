use super::{Alias, Body, Sql};
use crate::{
    plan::{Embed, Order, OrderBy, Output, Presence, ReadPlan},
    request::{
        order::{Direction, Nulls},
        prefer::Count,
        select::{Join, Shape},
    },
    schema::{Link, Reach, Schema},
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
}

/// `select total, count, body, location`
pub fn read<'a>(
    mut sql: Sql<'a>,
    schema: &'a Schema,
    plan: &ReadPlan<'a>,
    count: Option<Count>,
    body: Body,
    rows_max: u32,
) -> Sql<'a> {
    let mut writer = Reader { sql: &mut sql, schema };
    writer.sql.put("select ");
    match count {
        None | Some(Count::Planned) => writer.sql.put("null::int8"),
        Some(Count::Exact) => writer.total(plan, Source::Relation, None),
        Some(Count::Estimated) => writer.total(plan, Source::Relation, Some(u64::from(rows_max) + 1)),
    };
    writer.sql.put(",count(*),").body(body).put(",null::text from(");
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
        let alias = self.sql.alias();
        self.sql.put("(select count(*) from ");
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
        let alias = self.sql.alias();
        let spreads = self.outputs(plan, alias);
        self.sql.put(" from ").put(source.of(plan)).fmt(format_args!(" as {alias}"));
        self.spreads(plan, alias, &spreads);
        self.filters(plan, alias, " where ");
        self.order(plan, alias);
        self.window(plan);
    }

    pub fn window(&mut self, plan: &ReadPlan<'a>) {
        if let Some(limit) = plan.window.limit {
            self.sql.put(" limit ").bind(limit.to_string());
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
                Output::All => {
                    self.sql.fmt(format_args!("{alias}.*"));
                }
                Output::Column { of, cast, name } => {
                    self.sql.column(*of, alias);
                    if let Some(cast) = cast {
                        self.sql.put("::").put(cast);
                    }
                    if let Some(name) = name {
                        self.sql.put(" as ").put(&crate::schema::quote(name));
                    }
                }
                Output::Embed(index) => {
                    let embed = &plan.embeds[*index];
                    match embed.item.shape {
                        Shape::Nested => self.nested(embed, alias),
                        Shape::Spread => {
                            let spread = self.sql.alias();
                            self.sql.fmt(format_args!("{spread}.*"));
                            spreads.push((*index, spread));
                        }
                    }
                }
            }
        }
        spreads
    }

    /// An embedded resource as a scalar sub-select: PostgreSQL evaluates it for the answered rows only, after the limit.
    fn nested(&mut self, embed: &Embed<'a>, parent: Alias) {
        let row = self.sql.alias();
        match embed.link.reach {
            Reach::One => self.sql.fmt(format_args!("(select row_to_json({row}.*) from(")),
            Reach::Many => self.sql.fmt(format_args!("(select coalesce(json_agg({row}.*),'[]') from(")),
        };
        self.embedded(embed, parent);
        self.sql.fmt(format_args!(")as {row}) as ")).put(&crate::schema::quote(embed.item.name()));
    }

    /// The rows of an embedded resource that belong to one row of its parent.
    fn embedded(&mut self, embed: &Embed<'a>, parent: Alias) {
        let alias = self.sql.alias();
        let plan = &embed.plan;
        let spreads = self.outputs(plan, alias);
        self.sql.fmt(format_args!(" from {} as {alias}", plan.relation.sql));
        self.spreads(plan, alias, &spreads);
        self.linked(embed.link, parent, alias);
        self.filters(plan, alias, " and ");
        self.order(plan, alias);
        match embed.link.reach {
            // A view may show a key twice; one is wanted.
            Reach::One => {
                self.sql.put(" limit 1");
            }
            Reach::Many => self.window(plan),
        }
    }

    fn spreads(&mut self, plan: &ReadPlan<'a>, alias: Alias, spreads: &[(usize, Alias)]) {
        for (index, spread) in spreads {
            self.sql.put(" left join lateral (");
            self.embedded(&plan.embeds[*index], alias);
            self.sql.fmt(format_args!(") as {spread} on true"));
        }
    }

    /// ` where …` that ties a row to its parent's row, over a junction if need be.
    fn linked(&mut self, link: &Link, parent: Alias, alias: Alias) {
        let equal = |sql: &mut Sql<'a>, (here, there): &(String, String), near: Alias, far: Alias| {
            sql.fmt(format_args!(
                "{far}.{}={near}.{}",
                crate::schema::quote(there),
                crate::schema::quote(here)
            ));
        };
        match &link.through {
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
    fn filters(&mut self, plan: &ReadPlan<'a>, alias: Alias, start: &str) {
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
        self.sql.fmt(format_args!("exists(select 1 from {} as {alias}", embed.plan.relation.sql));
        self.linked(embed.link, parent, alias);
        self.filters(&embed.plan, alias, " and ");
        self.sql.put(")");
    }

    fn order(&mut self, plan: &ReadPlan<'a>, alias: Alias) {
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
                self.sql
                    .put("(select ")
                    .column(*of, related)
                    .fmt(format_args!(" from {} as {related}", embed.plan.relation.sql));
                self.linked(embed.link, alias, related);
                self.filters(&embed.plan, related, " and ");
                self.sql.put(" limit 1)");
            }
        }
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
