//! What the probe asks: everything that a portal user may read, from the catalog, so that a new table is asked about without a word.
use kernel::id::CustomerId;
use pg::{ActorTx, PgError};
use probes::isolation::{Questions, Relation};
use uuid::Uuid;

/// Others whose files are asked for by name, per customer.
const OTHERS_MAX: usize = 3;

const RELATIONS: &str = "
  select c.relname::text,
    (select array_agg(a.attname::text order by a.attnum) from pg_catalog.pg_attribute a
     where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and has_column_privilege('authenticated', c.oid, a.attnum, 'select'))
  from pg_catalog.pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v') and not c.relispartition
    and has_any_column_privilege('authenticated', c.oid, 'select')
  order by 1";
const BUCKETS: &str =
    "select b.name from storage.buckets b where b.kind = 'customer' and b.member_access <> 'none' order by 1";
const CUSTOMERS: &str = "select c.customer_id, c.token from public.canaries c order by c.customer_id";

/// A customer and its canary.
#[derive(Clone, Debug)]
pub struct Planted {
    pub customer: CustomerId,
    pub canary: String,
}

pub async fn questions(tx: &ActorTx) -> Result<Questions, PgError> {
    let rows = tx.query(RELATIONS, &[]).await?;
    let relations = rows.iter().filter_map(|row| {
        let (name, columns): (String, Vec<String>) = (row.get(0), row.get(1));
        let wanted =
            if matches!(name.as_str(), "customers" | "customer_list") { "id" } else { "customer_id" };
        let customer_column = columns.iter().find(|column| *column == wanted).cloned();
        let any_column = columns.into_iter().next()?;
        Some(Relation { name, customer_column, any_column })
    });
    let relations = relations.collect();
    let buckets = tx.query(BUCKETS, &[]).await?.iter().map(|row| row.get(0)).collect();
    Ok(Questions { relations, buckets })
}

/// Every customer, by id.
pub async fn planted(tx: &ActorTx) -> Result<Vec<Planted>, PgError> {
    let rows = tx.query(CUSTOMERS, &[]).await?;
    Ok(rows.iter().map(|row| Planted { customer: CustomerId(row.get(0)), canary: row.get(1) }).collect())
}

/// Those whose turn it is: `most` of them, behind the one where the last run ended, around the end.
pub fn turn(all: &[Planted], after: Option<Uuid>, most: usize) -> Vec<Planted> {
    let start = after.map_or(0, |after| all.partition_point(|planted| planted.customer.0 <= after));
    all.iter().cycle().skip(start).take(most.min(all.len())).cloned().collect()
}

/// Neighbors of a customer, for the questions that name one.
pub fn others(all: &[Planted], own: CustomerId) -> Vec<CustomerId> {
    let start = all.partition_point(|planted| planted.customer.0 <= own.0);
    let others = all.iter().cycle().skip(start).take(all.len());
    others.map(|planted| planted.customer).filter(|id| *id != own).take(OTHERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(count: u128) -> Vec<Planted> {
        let planted = |n| Planted { customer: CustomerId(Uuid::from_u128(n)), canary: String::new() };
        (1..=count).map(planted).collect()
    }

    fn ids(planted: &[Planted]) -> Vec<u128> {
        planted.iter().map(|one| one.customer.0.as_u128()).collect()
    }

    #[test]
    fn turns_go_around() {
        let customers = all(5);
        assert_eq!(ids(&turn(&customers, None, 2)), [1, 2]);
        assert_eq!(ids(&turn(&customers, Some(Uuid::from_u128(4)), 3)), [5, 1, 2]);
        assert_eq!(
            ids(&turn(&customers, Some(Uuid::from_u128(5)), 1)),
            [1],
            "behind the last comes the first"
        );
        assert_eq!(ids(&turn(&customers, Some(Uuid::from_u128(9)), 9)), [1, 2, 3, 4, 5], "each once");
        assert!(turn(&[], None, 3).is_empty());
    }

    #[test]
    fn others_are_never_oneself() {
        let customers = all(3);
        for own in &customers {
            let others = others(&customers, own.customer);
            assert_eq!(others.len(), 2);
            assert!(!others.contains(&own.customer));
        }
        assert!(others(&all(1), CustomerId(Uuid::from_u128(1))).is_empty());
    }
}
