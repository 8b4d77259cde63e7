//! Grouped rows: the inside selects what is grouped by and what goes into the aggregates, each under a number;
//! the outside puts it together. Columns of a spread row count as columns of the row that spreads it.
use super::{
    Alias,
    read::{Page, Place, Reader},
};
use crate::{
    plan::{ColumnRef, Output, ReadPlan},
    request::select::{Aggregate, Shape},
    schema::{Reach, quote},
};

/// What is selected of one level, in order.
struct Inside<'p, 'a> {
    plan: &'p ReadPlan<'a>,
    items: Vec<Item<'p, 'a>>,
}

enum Item<'p, 'a> {
    Leaf {
        number: u32,
        name: &'p str,
        what: What<'a>,
    },
    /// `count()` needs nothing from inside.
    CountAll {
        name: &'p str,
        out_cast: Option<&'a str>,
    },
    /// The one row of a spread.
    Level {
        embed: usize,
        alias: Alias,
        inside: Inside<'p, 'a>,
    },
    /// The lists of a spread of many rows.
    Lists {
        embed: usize,
        alias: Alias,
        columns: Vec<(u32, &'p str)>,
    },
}

enum What<'a> {
    Key { of: ColumnRef<'a>, cast: Option<&'a str> },
    Into { function: Aggregate, of: ColumnRef<'a>, cast: Option<&'a str>, out_cast: Option<&'a str> },
    Embed(usize),
}

impl<'a> Reader<'_, 'a> {
    pub(super) fn grouped(&mut self, plan: &ReadPlan<'a>, place: Place<'_, '_>, page: Page) {
        let inside = self.inside(plan);
        let group = self.sql.alias();
        self.sql.put("select ");
        let mut separator = "";
        self.answered(&inside, group, &mut separator);
        self.sql.put(" from(");
        self.level(&inside, place);
        self.sql.fmt(format_args!(")as {group}"));
        let mut keys = Vec::new();
        inside.keys(&mut keys);
        if !keys.is_empty() {
            self.sql.put(" group by ").list(",", keys, |sql, number| {
                sql.fmt(format_args!("{group}.c{number}"));
            });
        }
        if page == Page::Window {
            self.ordered(plan, &inside, group);
            self.page(plan, place);
        }
    }

    fn inside<'p>(&mut self, plan: &'p ReadPlan<'a>) -> Inside<'p, 'a> {
        let mut items = Vec::new();
        for output in &plan.outputs {
            match output {
                Output::All => items.extend(plan.relation.columns.values().map(|column| Item::Leaf {
                    number: self.sql.number(),
                    name: &column.name,
                    what: What::Key { of: ColumnRef { column, path: &[] }, cast: None },
                })),
                Output::Column { of, cast, name } => items.push(Item::Leaf {
                    number: self.sql.number(),
                    name: name.unwrap_or(&of.column.name),
                    what: What::Key { of: *of, cast: *cast },
                }),
                Output::Aggregate { of: None, out_cast, name, .. } => {
                    items.push(Item::CountAll { name, out_cast: *out_cast });
                }
                Output::Aggregate { function, of: Some(of), cast, out_cast, name } => {
                    items.push(Item::Leaf {
                        number: self.sql.number(),
                        name,
                        what: What::Into { function: *function, of: *of, cast: *cast, out_cast: *out_cast },
                    });
                }
                Output::Embed(index) => items.push(self.embed_inside(plan, *index)),
            }
        }
        Inside { plan, items }
    }

    fn embed_inside<'p>(&mut self, plan: &'p ReadPlan<'a>, embed: usize) -> Item<'p, 'a> {
        let found = &plan.embeds[embed];
        match (found.item.shape, found.link.reach) {
            (Shape::Nested, _) => {
                Item::Leaf { number: self.sql.number(), name: found.item.name(), what: What::Embed(embed) }
            }
            (Shape::Spread, Reach::One) => {
                Item::Level { embed, alias: self.sql.alias(), inside: self.inside(&found.plan) }
            }
            (Shape::Spread, Reach::Many) => {
                let alias = self.sql.alias();
                let columns = found.plan.names().into_iter().map(|name| (self.sql.number(), name)).collect();
                Item::Lists { embed, alias, columns }
            }
        }
    }

    /// `t0.c1 as "a",sum(t0.c2) as "sum"`
    fn answered(&mut self, inside: &Inside<'_, 'a>, group: Alias, separator: &mut &'static str) {
        for item in &inside.items {
            if let Item::Level { inside, .. } = item {
                self.answered(inside, group, separator);
                continue;
            }
            if let Item::Lists { columns, .. } = item {
                for (number, name) in columns {
                    self.sql.put(separator).fmt(format_args!("{group}.c{number} as {}", quote(name)));
                    *separator = ",";
                }
                continue;
            }
            self.sql.put(separator);
            *separator = ",";
            let (name, out_cast) = match item {
                Item::CountAll { name, out_cast } => {
                    self.sql.put("count(*)");
                    (name, *out_cast)
                }
                Item::Leaf { number, name, what: What::Into { function, out_cast, .. } } => {
                    self.sql.put(function.name()).fmt(format_args!("({group}.c{number})"));
                    (name, *out_cast)
                }
                Item::Leaf { number, name, .. } => {
                    self.sql.fmt(format_args!("{group}.c{number}"));
                    (name, None)
                }
                Item::Level { .. } | Item::Lists { .. } => continue,
            };
            if let Some(cast) = out_cast {
                self.sql.put("::").put(cast);
            }
            self.sql.put(" as ").put(&quote(name));
        }
    }

    /// `select t1."a" as c1,t2.c2 as c2 from … where …`, without order and page: those are of the groups.
    fn level(&mut self, inside: &Inside<'_, 'a>, place: Place<'_, '_>) {
        let alias = self.alias_at(inside.plan, place);
        self.sql.put("select ");
        let mut separator = "";
        for item in &inside.items {
            match item {
                Item::CountAll { .. } => continue,
                Item::Leaf { number, what, .. } => {
                    self.sql.put(separator);
                    self.leaf(inside.plan, what, alias);
                    self.sql.fmt(format_args!(" as c{number}"));
                }
                Item::Level { alias, inside, .. } => {
                    let mut numbers = Vec::new();
                    inside.numbers(&mut numbers);
                    if numbers.is_empty() {
                        continue;
                    }
                    self.sql.put(separator).list(",", numbers, |sql, number| {
                        sql.fmt(format_args!("{alias}.c{number} as c{number}"));
                    });
                }
                Item::Lists { alias, columns, .. } => {
                    self.sql.put(separator).list(",", columns, |sql, (number, name)| {
                        sql.fmt(format_args!("to_jsonb({alias}.{}) as c{number}", quote(name)));
                    });
                }
            }
            separator = ",";
        }
        if separator.is_empty() {
            self.sql.put("1");
        }
        self.from(inside.plan, place, alias);
        for item in &inside.items {
            match item {
                Item::Level { embed, alias: spread, inside: within } => {
                    let embed = &inside.plan.embeds[*embed];
                    self.sql.put(" left join lateral (");
                    self.level(within, Place::Embedded(embed.link, alias));
                    self.sql.fmt(format_args!(" limit 1) as {spread} on true"));
                }
                Item::Lists { embed, alias: spread, .. } => {
                    self.sql.put(" left join lateral (");
                    self.spread(&inside.plan.embeds[*embed], alias);
                    self.sql.fmt(format_args!(") as {spread} on true"));
                }
                Item::Leaf { .. } | Item::CountAll { .. } => {}
            }
        }
        self.conditions(inside.plan, place, alias);
    }

    fn leaf(&mut self, plan: &ReadPlan<'a>, what: &What<'a>, alias: Alias) {
        match what {
            What::Key { of, cast } | What::Into { of, cast, .. } => {
                self.sql.column(*of, alias);
                if let Some(cast) = cast {
                    self.sql.put("::").put(cast);
                }
            }
            // Rows can be grouped by jsonb only.
            What::Embed(index) => {
                self.sql.put("to_jsonb(");
                self.nested(&plan.embeds[*index], alias);
                self.sql.put(")");
            }
        }
    }

    fn ordered(&mut self, plan: &ReadPlan<'a>, inside: &Inside<'_, 'a>, group: Alias) {
        let mut start = " order by ";
        for term in &plan.order {
            let Ok(by) = plan.key_of(term) else { continue };
            let Some(number) = inside.number_of(by) else { continue };
            self.sql.put(start).fmt(format_args!("{group}.c{number}"));
            self.direction(term);
            start = ",";
        }
    }
}

impl<'a> Inside<'_, 'a> {
    /// Everything that the rows are grouped by.
    fn keys(&self, keys: &mut Vec<u32>) {
        for item in &self.items {
            match item {
                Item::Leaf { what: What::Into { .. }, .. } | Item::CountAll { .. } => {}
                Item::Leaf { number, .. } => keys.push(*number),
                Item::Level { inside, .. } => inside.keys(keys),
                Item::Lists { columns, .. } => keys.extend(columns.iter().map(|(number, _)| *number)),
            }
        }
    }

    fn numbers(&self, numbers: &mut Vec<u32>) {
        for item in &self.items {
            match item {
                Item::CountAll { .. } => {}
                Item::Leaf { number, .. } => numbers.push(*number),
                Item::Level { inside, .. } => inside.numbers(numbers),
                Item::Lists { columns, .. } => numbers.extend(columns.iter().map(|(number, _)| *number)),
            }
        }
    }

    fn number_of(&self, by: ColumnRef<'a>) -> Option<u32> {
        self.items.iter().find_map(|item| match item {
            Item::Leaf { number, what: What::Key { of, cast: None }, .. } if *of == by => Some(*number),
            _ => None,
        })
    }
}
