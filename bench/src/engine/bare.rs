//! The peer: the least SQL that takes a step durably and ends it durably.
use std::path::PathBuf;

use tokio_postgres::Client;

use crate::{Result, stage::Stage, tools};

/// The engine's table with all its indexes; no policies, triggers or foreign keys.
const TABLE: &str =
    "drop table if exists bench.steps; create table bench.steps (like flow.steps including all);
     grant select, update on bench.steps to authenticator";
const FILL: &str = "truncate bench.steps;
     insert into bench.steps (customer_id, run_id, workflow_id, lane_max, key, position, kind, title, state, due_at)
       select c.id, gen_random_uuid(), '00000000-0000-7000-8000-000000000001', 1000, 'one', 1, 'task', 'One', 'ready', now() - (STEPS - n) * interval '1 ms'
       from generate_series(1, STEPS) n
       join (select id, row_number() over (order by id) as place, count(*) over () as all_of_them from public.customers) c on c.place = 1 + n % c.all_of_them;";
const SCRIPT: &str = "\
update bench.steps s set state = 'running', lease_owner = '00000000-0000-7000-8000-000000000002', lease_until = now() + interval '30 s', \
attempt = s.attempt + 1, attempt_at = now(), started_at = now() \
from (select d.customer_id, d.id from bench.steps d where d.state in ('ready', 'waiting') and d.due_at <= now() and d.due_at > '-infinity' \
order by d.due_at limit 1 for update skip locked) due \
where s.customer_id = due.customer_id and s.id = due.id returning s.customer_id as customer, s.id as step \\gset
update bench.steps set state = 'ended', lease_owner = null, lease_until = null, output = '{}', summary = 'Done', ended_at = now() \
where customer_id = :customer and id = :step;
";

#[derive(Debug)]
pub struct Bare {
    program: PathBuf,
    folder: tempfile::TempDir,
    fill: String,
}

impl Bare {
    pub async fn prepare(admin: &Client, steps: i32) -> Result<Self> {
        admin.batch_execute(TABLE).await?;
        let folder = tempfile::tempdir()?;
        tokio::fs::write(folder.path().join("bare.sql"), SCRIPT).await?;
        Ok(Self { program: tools::pgbench().await?, folder, fill: FILL.replace("STEPS", &steps.to_string()) })
    }

    pub async fn refill(&self, admin: &Client) -> Result<()> {
        admin.batch_execute(&self.fill).await?;
        admin.batch_execute("vacuum (analyze) bench.steps").await?;
        Ok(admin.batch_execute("checkpoint").await?)
    }

    /// Steps per second. Fails when the steps run out, because a client without a step ends.
    pub async fn run(&self, stage: &Stage, clients: u32, seconds: u64) -> Result<f64> {
        let mut command = stage.client_program(&self.program)?;
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        command
            .args(["-n", "-M", "prepared", "-c", &clients.to_string(), "-j", &threads.to_string()])
            .args(["-T", &seconds.to_string(), "-f"])
            .arg(self.folder.path().join("bare.sql"));
        tools::number_after(&tools::output(&mut command).await?, "tps =")
    }
}
