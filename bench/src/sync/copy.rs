//! The peer: COPY, the quickest way into a table.
use std::time::Instant;

use bytes::Bytes;
use futures_util::{SinkExt as _, TryStreamExt as _};
use tokio_postgres::Client;

use crate::Result;

pub struct Copied {
    pub rows_per_second: f64,
    pub row_bytes: usize,
}

/// The rows of `tables` (of the schema `public`), one COPY after the other, each into a table with the same columns, indexes
/// and foreign keys, without row-level security.
pub async fn run(admin: &Client, tables: &[&str]) -> Result<Copied> {
    let (mut rows, mut bytes, mut seconds) = (0, 0, 0.0);
    for table in tables {
        make(admin, table).await?;
        let out = admin
            .copy_out(&format!(
                "copy (select {} from public.{table}) to stdout",
                columns(admin, table).await?
            ))
            .await?;
        let chunks: Vec<Bytes> = out.try_collect().await?;
        bytes += chunks.iter().map(Bytes::len).sum::<usize>();
        admin.batch_execute("checkpoint").await?;
        let began = Instant::now();
        let sink = admin
            .copy_in(&format!("copy bench.{table} ({}) from stdin", columns(admin, table).await?))
            .await?;
        let mut sink = std::pin::pin!(sink);
        for chunk in chunks {
            sink.feed(chunk).await?;
        }
        rows += sink.finish().await?;
        seconds += began.elapsed().as_secs_f64();
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let rows_per_second = rows as f64 / seconds;
    Ok(Copied { rows_per_second, row_bytes: bytes / usize::try_from(rows.max(1))? })
}

/// Generated columns are worked out, not copied.
async fn columns(admin: &Client, table: &str) -> Result<String> {
    let sql = "select string_agg(quote_ident(attname), ',' order by attnum) from pg_attribute
        where attrelid = ('public.' || $1::text)::regclass and attnum > 0 and not attisdropped and attgenerated = ''";
    Ok(admin.query_one(sql, &[&table]).await?.get(0))
}

async fn make(admin: &Client, table: &str) -> Result<()> {
    let sql = "select coalesce(string_agg(format('alter table bench.%I add %s;', $1::text, pg_get_constraintdef(oid)), ' '), '')
        from pg_constraint where conrelid = ('public.' || $1::text)::regclass and contype = 'f'";
    let keys: String = admin.query_one(sql, &[&table]).await?.get(0);
    let text = format!(
        "drop table if exists bench.{table}; create table bench.{table} (like public.{table} including all); {keys}"
    );
    Ok(admin.batch_execute(&text).await?)
}
