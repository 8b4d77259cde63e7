//! The synchronizing process.
use std::{io::Read as _, sync::Arc, time::Instant};

use app::{
    sync::{NoSink, Syncer},
    vendors::{BoxFuture, Vendors, VendorsError},
};
use kernel::{Clock, id::IntegrationId};
use ninjaone::{Config, NinjaOne};
use pg::{Pg, PgSettings};
use serde::{Deserialize, Serialize};

use crate::{Result, machine, stage::SocketLogin};

/// As in the product.
const POOL: usize = 24;

#[derive(Debug, Serialize, Deserialize)]
pub struct Task {
    pub login: SocketLogin,
    pub base_url: String,
    pub client_id: String,
    pub client_secret: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Told {
    pub state: String,
    pub elapsed_ms: f64,
    pub memory_peak_bytes: u64,
    /// Worked out by the one who asked.
    #[serde(default)]
    pub rows_per_second: f64,
}

/// The one client; credentials are not what is measured.
struct Known(NinjaOne);

impl Vendors for Known {
    fn ninjaone(&self, _: IntegrationId) -> BoxFuture<'_, std::result::Result<NinjaOne, VendorsError>> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

/// Reads its task from standard input, works on the one queued run, and writes how it went to standard output.
pub async fn run() -> Result<()> {
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text)?;
    let task: Task = serde_json::from_slice(&text)?;
    let pool = Pg::new(&PgSettings::halves(task.login.config(), POOL))?;
    let clock = Clock::system();
    let client =
        NinjaOne::new(Config::new(task.base_url, task.client_id, task.client_secret.into()), clock.clone())?;
    let syncer = Syncer::new(pool, clock, Arc::new(Known(client)), Arc::new(NoSink));
    let began = Instant::now();
    let (_, state) = syncer.run_one().await?.ok_or("there was no run to work on")?;
    let told = Told {
        state: state.as_str().to_owned(),
        elapsed_ms: began.elapsed().as_secs_f64() * 1e3,
        memory_peak_bytes: machine::memory_peak_bytes().ok_or("the process's memory is not known")?,
        rows_per_second: 0.0,
    };
    #[expect(clippy::print_stdout, reason = "the answer to the process that asked")]
    {
        println!("{}", serde_json::to_string(&told)?);
    }
    Ok(())
}
