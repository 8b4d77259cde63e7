//! `obera demo`: a whole MSP on one machine, over real protocols: embedded PostgreSQL, the vendors' sandboxes over HTTP, worker, console.
mod baselines;
mod billing;
mod documents;
mod estate;
mod people;
mod settings;
mod tenants;

use std::{
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use app::incidents::flows::VerifyTiming;
use flow::{BoundaryHook, WorkerConfig};
use sandbox::{RunningSandbox, Sandbox, SandboxConfig};
use tokio::task::JoinSet;

use crate::{
    cli::{DemoArgs, ProcessRole},
    commands::sandbox::SandboxHandle,
    config::Settings,
    database::Database,
    failure::Failure,
    runtime::{self, Product, Tuning},
    say,
    shutdown::Shutdown,
};

const SYNC_INTERVAL_S: i32 = 60;

pub async fn run(settings: Settings, args: DemoArgs) -> Result<ExitCode, Failure> {
    let started = Instant::now();
    if settings.database_url.is_some() {
        return Err(Failure::text(
            "The demo makes its own database. Unset DATABASE_URL, or use `obera serve` for an existing one.",
        ));
    }
    people::check_password(args.password.as_deref())?;
    let shutdown = Shutdown::on_signals().map_err(|error| Failure::start("the signal handlers", &error))?;
    let listener = runtime::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, args.port))).await?;
    let listen = listener.local_addr().map_err(|error| Failure::start("the console's address", &error))?;
    let settings = Settings { listen, ..settings };
    say!("Starting the demo in {} …", settings.data_dir.display());
    let database = Database::open(&settings).await?;
    let outcome = serve(&settings, &args, &database, listener, shutdown, started).await;
    database.close().await;
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn serve(
    settings: &Settings,
    args: &DemoArgs,
    database: &Database,
    listener: tokio::net::TcpListener,
    shutdown: Shutdown,
    started: Instant,
) -> Result<(), Failure> {
    let reachable_at = Some(settings.url().into());
    let tuning = Tuning { reachable_at, ..tuning(args.crash_at.as_deref())? };
    let product = Product::build(database, settings, &tuning).await?;
    people::refuse_real_installation(&product).await?;
    let (sandbox, handle) = sandbox(args).await?;
    let kept = SandboxHandle::in_data_dir(&settings.data_dir);
    handle.write(&kept)?;
    let customers = estate::prepare(&product, &handle, &settings.url()).await?;
    baselines::prepare(&product, &customers).await?;
    // Ends with the demo, when it is dropped.
    let mut accepting = JoinSet::new();
    accepting.spawn(baselines::accept_one(product.clone(), customers.clone()));
    let logins = people::prepare(&product, database, args.password.as_deref(), &customers).await?;
    print(settings, &logins, started);
    let outcome =
        runtime::run(product, settings, &[ProcessRole::Api, ProcessRole::Worker], tuning, listener, shutdown)
            .await;
    drop(accepting);
    let _gone = std::fs::remove_file(kept);
    if let Some(sandbox) = sandbox {
        sandbox.shutdown().await;
    }
    outcome
}

/// The demo's own sandbox, or one that runs alone.
async fn sandbox(args: &DemoArgs) -> Result<(Option<RunningSandbox>, SandboxHandle), Failure> {
    if let Some(path) = &args.sandbox {
        return Ok((None, SandboxHandle::read(path)?));
    }
    let config = SandboxConfig::demo(
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        args.customers,
        args.devices,
        args.seed,
    );
    let sandbox =
        Sandbox::start(config).await.map_err(|error| Failure::start("the vendors' sandbox", &error))?;
    let handle = SandboxHandle::of(&sandbox);
    Ok((Some(sandbox), handle))
}

/// Short times, so that a person can watch.
fn tuning(crash_at: Option<&str>) -> Result<Tuning, Failure> {
    let boundary_hook = crash_at.map(crash_hook).transpose()?;
    Ok(Tuning {
        verify: VerifyTiming { delay_ms: 1_500, every_ms: 2_000, deadline_ms: 20_000 },
        worker: WorkerConfig { poll_ms: 500, lease_ms: 3_000, boundary_hook, ..WorkerConfig::default() },
        ..Tuning::default()
    })
}

/// `boundary` or `boundary:n`: the process ends without any clean-up when the boundary is reached for the n-th time.
fn crash_hook(crash_at: &str) -> Result<BoundaryHook, Failure> {
    let (boundary, times) = crash_at.split_once(':').unwrap_or((crash_at, "1"));
    let (true, Ok(times)) = (flow::BOUNDARIES.contains(&boundary), times.parse::<usize>()) else {
        return Err(Failure::text(format!(
            "There is no boundary `{crash_at}`. Known: {}, with :n for the n-th time.",
            flow::BOUNDARIES.join(", ")
        )));
    };
    let (boundary, reached) = (boundary.to_owned(), AtomicUsize::new(0));
    Ok(std::sync::Arc::new(move |name| {
        if name == boundary && reached.fetch_add(1, Ordering::Relaxed) + 1 == times {
            std::process::abort();
        }
    }))
}

fn print(settings: &Settings, logins: &people::Logins, started: Instant) {
    say!("");
    say!("  OberaConnect demo   {}   (ready after {:.1} s)", settings.url(), started.elapsed().as_secs_f32());
    say!("");
    for email in ["owner@msp.example", "technician@msp.example", "auditor@msp.example"] {
        say!("  {email:<28} {}", logins.password);
    }
    for email in logins.portal.iter().take(2) {
        say!("  {email:<28} {}", logins.password);
    }
    say!("  … and portal@<customer-slug>.example for {} customers, same password", logins.portal.len());
    say!("");
    say!(
        "  Make a device fall ill:  obera sandbox trigger disk-full            (--lying: the vendor pretends)"
    );
    say!("  Stop with Ctrl-C.");
    say!("");
}
