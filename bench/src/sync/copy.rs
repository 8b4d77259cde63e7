//! The peer: COPY, the quickest way into a table.
use std::time::Instant;

use bytes::Bytes;
use futures_util::{SinkExt as _, TryStreamExt as _};
use tokio_postgres::Client;

use crate::Result;

/// The same columns, indexes and foreign keys; no row-level security.
const TABLE: &str = "drop table if exists bench.devices;
     create table bench.devices (like public.devices including all);
     alter table bench.devices add foreign key (customer_id) references public.customers on delete cascade,
       add foreign key (integration_id) references public.integrations on delete cascade,
       add foreign key (customer_id, site_id) references public.sites (customer_id, id) on delete set null (site_id);";

pub struct Copied {
    pub rows_per_second: f64,
    pub row_bytes: usize,
}

pub async fn run(admin: &Client) -> Result<Copied> {
    admin.batch_execute(TABLE).await?;
    let out = admin.copy_out("copy public.devices to stdout").await?;
    let chunks: Vec<Bytes> = out.try_collect().await?;
    let bytes: usize = chunks.iter().map(Bytes::len).sum();
    admin.batch_execute("checkpoint").await?;
    let began = Instant::now();
    let sink = admin.copy_in("copy bench.devices from stdin").await?;
    let mut sink = std::pin::pin!(sink);
    for chunk in chunks {
        sink.feed(chunk).await?;
    }
    let rows = sink.finish().await?;
    let elapsed = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let rows_per_second = rows as f64 / elapsed;
    Ok(Copied { rows_per_second, row_bytes: bytes / usize::try_from(rows.max(1))? })
}
