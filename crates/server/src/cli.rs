//! The command line. `--help` of each command is good enough to work from.
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::SettingsArgs;

const AFTER_HELP: &str = "\
Start here:
  obera demo                     a whole demo MSP on this machine; prints the console's address and logins
  obera sandbox trigger disk-full   makes a device of the running demo fall ill; watch it in the console

Settings come from flags, then environment variables, then the TOML file of --config.";

#[derive(Debug, Parser)]
#[command(name = "obera", version, about = "OberaConnect: the operations platform of managed service providers", after_help = AFTER_HELP)]
pub struct Cli {
    #[command(flatten)]
    pub settings: SettingsArgs,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a demo MSP: embedded PostgreSQL, vendor sandboxes, worker and console in one process tree.
    Demo(DemoArgs),
    /// Run the product for real.
    Serve(ServeArgs),
    /// Bring the database to this release and exit.
    Migrate,
    /// Check signed evidence offline.
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// Check the audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Look at this installation and say what is wrong and what to do.
    Doctor,
    /// Run the vendors' sandboxes alone, or make something happen in the running demo.
    Sandbox(SandboxArgs),
    /// Add people of the provider.
    #[command(subcommand)]
    User(UserCommand),
    /// Connect vendors.
    #[command(subcommand)]
    Integration(IntegrationCommand),
    /// Serve the data API alone over any PostgreSQL, with PostgREST's configuration.
    Rest(RestArgs),
    /// Write code that follows the database.
    #[command(subcommand)]
    Gen(GenCommand),
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Port of the console on 127.0.0.1.
    #[arg(long, default_value_t = 8420, env = "OBERA_PORT")]
    pub port: u16,
    /// Customers of the demo MSP (1 to 5,000).
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub customers: u32,
    /// Devices over all customers (1 to 100,000).
    #[arg(long, default_value_t = 2_500, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub devices: u32,
    /// The same seed makes the same estate.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// One password for all demo logins, 12 characters or more; random when not given.
    #[arg(long, env = "OBERA_DEMO_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// Use a sandbox that runs alone (`obera sandbox --handle FILE`) instead of one inside the demo.
    #[arg(long, value_name = "FILE")]
    pub sandbox: Option<PathBuf>,
    /// End the process, as kill -9 would, when the engine reaches this boundary (for crash drills).
    #[arg(long, value_name = "BOUNDARY", hide = true)]
    pub crash_at: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProcessRole {
    /// HTTP: console, APIs, webhooks.
    Api,
    /// Workflow steps, synchronization, schedules, sealing.
    Worker,
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// What this process does; several processes on one database can share the work.
    #[arg(long, value_delimiter = ',', default_values_t = [ProcessRole::Api, ProcessRole::Worker])]
    pub roles: Vec<ProcessRole>,
}

impl std::fmt::Display for ProcessRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Api => "api",
            Self::Worker => "worker",
        })
    }
}

#[derive(Debug, Subcommand)]
pub enum EvidenceCommand {
    /// Verify a bundle downloaded from the console. Works offline; fails on any changed byte.
    Verify {
        /// The bundle (`*.evidence.jsonl`).
        file: PathBuf,
        /// Public key (64 hexadecimal digits) that must have signed it; may be repeated. Without it the signature is
        /// checked against the key in the bundle, and its fingerprint is printed for you to compare.
        #[arg(long = "key")]
        keys: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Recompute every chain of the audit log and name the first broken link.
    Verify {
        /// Verify an export offline instead of the database.
        #[arg(long)]
        file: Option<PathBuf>,
    },
    /// Write the sealed audit log as JSON lines, for `audit verify --file`.
    Export {
        /// The file to write; it must not exist.
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:8430")]
    pub listen: std::net::SocketAddr,
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub customers: u32,
    #[arg(long, default_value_t = 2_500, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub devices: u32,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Write the address and secrets to this file, for `obera demo --sandbox`.
    #[arg(long, value_name = "FILE")]
    pub handle: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Option<SandboxCommand>,
}

#[derive(Debug, Subcommand)]
pub enum SandboxCommand {
    /// Make a device of the running demo fall ill, and print what to watch.
    Trigger {
        illness: Illness,
        /// The vendor will say that the fix worked although nothing changed.
        #[arg(long)]
        lying: bool,
        /// NinjaOne's id of the device; any healthy Windows device when not given.
        #[arg(long)]
        device_id: Option<i64>,
    },
    /// Let the vendors' time go on: months that begin are billed.
    Advance {
        #[arg(long, value_name = "DAYS", default_value_t = 31, value_parser = clap::value_parser!(u32).range(1..=3_660))]
        days: u32,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Illness {
    /// The system disk fills up.
    DiskFull,
    /// The print spooler stops.
    ServiceStopped,
}

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add one person; the password is read from standard input.
    Add {
        #[arg(long)]
        email: String,
        #[arg(long)]
        name: String,
        /// owner, technician or auditor.
        #[arg(long, default_value = "technician")]
        role: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum IntegrationCommand {
    /// Add a NinjaOne instance, or give one new credentials; the client secret is read from standard input.
    Add {
        /// How it is called in the console.
        #[arg(long, default_value = "NinjaOne")]
        name: String,
        /// The instance, such as https://eu.ninjarmm.com.
        #[arg(long)]
        url: String,
        /// Of an API Services app with the scopes monitoring and management.
        #[arg(long)]
        client_id: String,
        /// Of a Web app through which people sign in, where only people may run scripts; its secret is read next.
        #[arg(long)]
        people_client_id: Option<String>,
    },
    /// Add Rev.io, or give it new credentials; the password is read from standard input.
    AddRevio {
        /// How it is called in the console.
        #[arg(long, default_value = "Rev.io")]
        name: String,
        /// Without `/v1`.
        #[arg(long, default_value = revio::config::BASE_URL)]
        url: String,
        /// The plain user name of the API user, not an e-mail address.
        #[arg(long)]
        user: String,
        /// The part behind the at sign of a sign-in.
        #[arg(long)]
        client_code: String,
        /// Read a subscription key as well, after the password: where API management is switched on.
        #[arg(long)]
        with_subscription_key: bool,
    },
    /// Add Microsoft 365, or give it new credentials; the client secret is read from standard input.
    AddMicrosoft {
        /// How it is called in the console.
        #[arg(long, default_value = "Microsoft 365")]
        name: String,
        /// Directory (tenant) id of the provider's own tenant.
        #[arg(long)]
        tenant_id: String,
        /// Application (client) id of the app registration.
        #[arg(long)]
        client_id: String,
        /// Without `/v1.0`.
        #[arg(long, default_value = graph::config::GRAPH_URL)]
        url: String,
        /// Where tokens come from.
        #[arg(long, default_value = graph::config::LOGIN_URL)]
        login_url: String,
    },
    /// Add CIPP, or give it new credentials; the client secret is read from standard input.
    AddCipp {
        /// How it is called in the console.
        #[arg(long, default_value = "CIPP")]
        name: String,
        /// The deployment, such as https://cipp.msp.example.
        #[arg(long)]
        url: String,
        /// The tenant that the deployment belongs to.
        #[arg(long)]
        tenant_id: String,
        /// Application (client) id of the API client, as CIPP shows it.
        #[arg(long)]
        client_id: String,
        /// Where tokens come from.
        #[arg(long, default_value = cipp::config::LOGIN_URL)]
        login_url: String,
    },
    /// Add SharePoint, or give it new credentials; the client secret is read from standard input.
    #[command(name = "add-sharepoint")]
    AddSharePoint {
        /// How it is called in the console.
        #[arg(long, default_value = "SharePoint")]
        name: String,
        /// Directory (tenant) id of the provider's own tenant.
        #[arg(long)]
        tenant_id: String,
        /// Application (client) id of the app registration for SharePoint.
        #[arg(long)]
        client_id: String,
        /// Without `/v1.0`.
        #[arg(long, default_value = graph::config::GRAPH_URL)]
        url: String,
        /// Where tokens come from.
        #[arg(long, default_value = graph::config::LOGIN_URL)]
        login_url: String,
    },
}

#[derive(Debug, Args)]
pub struct RestArgs {
    /// Configuration in PostgREST's format; `--config` names it as well. PGRST_… variables are read over it, settings of
    /// the database over both. Of the other settings below only those of the log count.
    pub file: Option<PathBuf>,
    /// Print a commented configuration.
    #[arg(long)]
    pub example: bool,
    /// Print the configuration as it is, with what the database says and without secrets.
    #[arg(long)]
    pub dump_config: bool,
}

#[derive(Debug, Subcommand)]
pub enum GenCommand {
    /// The types of tables, views and functions, on standard output.
    #[command(subcommand)]
    Types(TypesCommand),
}

#[derive(Debug, Subcommand)]
pub enum TypesCommand {
    /// For `supabase-js`: createClient<Database>(…).
    Typescript {
        /// A schema to describe; may be given several times. The first is the default one.
        #[arg(long = "schema", default_value = "public", value_name = "SCHEMA")]
        schemas: Vec<String>,
    },
}
