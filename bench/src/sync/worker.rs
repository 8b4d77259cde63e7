//! The synchronizing process.
use std::{io::Read as _, sync::Arc, time::Instant};

use app::{
    sync::{NoSink, Syncer},
    vendors::{BoxFuture, Vendors, VendorsError},
};
use graph::Graph;
use kernel::{
    Clock,
    id::IntegrationId,
    secret::{ExposeSecret as _, SecretString},
};
use ninjaone::NinjaOne;
use pg::{Pg, PgSettings};
use sandbox::RunningSandbox;
use serde::{Deserialize, Serialize};

use crate::{Result, machine, stage::SocketLogin};

/// As in the product.
const POOL: usize = 24;

#[derive(Debug, Serialize, Deserialize)]
pub struct Task {
    pub login: SocketLogin,
    pub access: Access,
}

/// Where the vendor is, and how it lets us in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Access {
    NinjaOne { base_url: String, client_id: String, client_secret: String },
    Microsoft { login_url: String, base_url: String, client_id: String, client_secret: String, home: String },
}

impl Access {
    pub fn ninjaone(sandbox: &RunningSandbox) -> Self {
        Self::NinjaOne {
            base_url: sandbox.base_url(),
            client_id: sandbox.client_id().to_owned(),
            client_secret: sandbox.client_secret().expose_secret().to_owned(),
        }
    }

    pub fn microsoft(sandbox: &RunningSandbox) -> Self {
        let access = sandbox.graph();
        Self::Microsoft {
            login_url: sandbox.graph_login_url(),
            base_url: sandbox.graph_url(),
            client_id: access.client_id.clone(),
            client_secret: access.client_secret.expose_secret().to_owned(),
            home: access.home_tenant_id.to_string(),
        }
    }

    fn open(self) -> Result<Known> {
        let clock = Clock::system();
        Ok(match self {
            Self::NinjaOne { base_url, client_id, client_secret } => {
                let config = ninjaone::Config::new(base_url, client_id, client_secret.into());
                Known::NinjaOne(NinjaOne::new(config, clock)?)
            }
            Self::Microsoft { login_url, base_url, client_id, client_secret, home } => {
                let secret = SecretString::from(client_secret);
                let config = graph::Config::new(login_url, base_url, client_id, secret, home)?;
                Known::Microsoft(Graph::new(config, clock)?)
            }
        })
    }
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
enum Known {
    NinjaOne(NinjaOne),
    Microsoft(Graph),
}

impl Vendors for Known {
    fn ninjaone(&self, _: IntegrationId) -> BoxFuture<'_, std::result::Result<NinjaOne, VendorsError>> {
        Box::pin(async {
            match self {
                Self::NinjaOne(client) => Ok(client.clone()),
                Self::Microsoft(_) => Err(VendorsError::NotConfigured),
            }
        })
    }

    fn microsoft(&self, _: IntegrationId) -> BoxFuture<'_, std::result::Result<Graph, VendorsError>> {
        Box::pin(async {
            match self {
                Self::Microsoft(client) => Ok(client.clone()),
                Self::NinjaOne(_) => Err(VendorsError::NotConfigured),
            }
        })
    }
}

/// Reads its task from standard input, works on the one queued run, and writes how it went to standard output.
pub async fn run() -> Result<()> {
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text)?;
    let task: Task = serde_json::from_slice(&text)?;
    let pool = Pg::new(&PgSettings::halves(task.login.config(), POOL))?;
    let client = task.access.open()?;
    let syncer = Syncer::new(pool, Clock::system(), Arc::new(client), Arc::new(NoSink));
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
