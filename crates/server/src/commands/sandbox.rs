//! `obera sandbox`: the vendors' sandboxes alone; `obera sandbox trigger` and `advance`: something happens in the running demo.
use std::{
    fs,
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use connector_api::{Call, HttpClient, HttpConfig};
use kernel::{Clock, secret::ExposeSecret as _};
use sandbox::{CONTROL_HEADER, RunningSandbox, Sandbox, SandboxConfig};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    cli::{Illness, SandboxArgs, SandboxCommand},
    config::Settings,
    failure::Failure,
    say,
    shutdown::Shutdown,
};

const DAY_S: u64 = 86_400;

/// How to reach a running sandbox, its control plane included; in a file that only its user may read.
#[derive(Clone, Serialize, Deserialize)]
pub struct SandboxHandle {
    pub base_url: String,
    pub client_id: String,
    pub client_secret: String,
    /// The id and the secret of the app through which people sign in.
    pub people: Option<(String, String)>,
    pub revio_base_url: String,
    pub revio_user: String,
    pub revio_client_code: String,
    pub revio_password: String,
    pub graph_url: String,
    pub graph_login_url: String,
    pub graph_client_id: String,
    pub graph_client_secret: String,
    pub graph_home_tenant_id: String,
    pub cipp_url: String,
    pub cipp_client_id: String,
    pub cipp_client_secret: String,
    pub sharepoint_client_id: String,
    pub sharepoint_client_secret: String,
    control_token: String,
}

impl SandboxHandle {
    pub fn of(sandbox: &RunningSandbox) -> Self {
        Self {
            base_url: sandbox.base_url(),
            client_id: sandbox.client_id().to_owned(),
            client_secret: sandbox.client_secret().expose_secret().to_owned(),
            people: sandbox.people().map(|app| (app.id.clone(), app.secret.expose_secret().to_owned())),
            revio_base_url: sandbox.revio_base_url(),
            revio_user: sandbox.revio_user().to_owned(),
            revio_client_code: sandbox.revio_client_code().to_owned(),
            revio_password: sandbox.revio_password().expose_secret().to_owned(),
            graph_url: sandbox.graph_url(),
            graph_login_url: sandbox.graph_login_url(),
            graph_client_id: sandbox.graph().client_id.clone(),
            graph_client_secret: sandbox.graph().client_secret.expose_secret().to_owned(),
            graph_home_tenant_id: sandbox.graph().home_tenant_id.to_string(),
            cipp_url: sandbox.cipp_url(),
            cipp_client_id: sandbox.cipp().client_id.clone(),
            cipp_client_secret: sandbox.cipp().client_secret.expose_secret().to_owned(),
            sharepoint_client_id: sandbox.graph().sharepoint_client_id.clone(),
            sharepoint_client_secret: sandbox.graph().sharepoint_client_secret.expose_secret().to_owned(),
            control_token: sandbox.control_token().expose_secret().to_owned(),
        }
    }

    /// Where a demo keeps the handle of its sandbox.
    pub fn in_data_dir(data_dir: &Path) -> PathBuf {
        data_dir.join("secrets/sandbox.json")
    }

    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let failed =
            |error: &dyn std::error::Error| Failure::start(&format!("the handle {}", path.display()), error);
        let text = serde_json::to_string(self).map_err(|error| failed(&error))?;
        // Written beside and renamed: a reader sees a whole handle or none.
        let half = path.with_extension("new");
        let _old = fs::remove_file(&half);
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&half);
        file.map_err(|error| failed(&error))?.write_all(text.as_bytes()).map_err(|error| failed(&error))?;
        fs::rename(&half, path).map_err(|error| failed(&error))
    }

    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Failure::text(format!(
                "No sandbox runs here ({} is missing). Start the demo with `obera demo`, or name its folder with --data-dir.",
                path.display()
            )),
            _ => Failure::start(&format!("the handle {}", path.display()), &error),
        })?;
        serde_json::from_str(&text).map_err(|error| Failure::start("the sandbox's handle", &error))
    }
}

pub async fn run(settings: &Settings, args: SandboxArgs) -> Result<ExitCode, Failure> {
    match args.command {
        Some(SandboxCommand::Trigger { illness, lying, device_id }) => {
            trigger(settings, illness, lying, device_id).await
        }
        Some(SandboxCommand::Advance { days }) => advance(settings, days).await,
        None => alone(&args).await,
    }
}

async fn alone(args: &SandboxArgs) -> Result<ExitCode, Failure> {
    let shutdown = Shutdown::on_signals().map_err(|error| Failure::start("the signal handlers", &error))?;
    let config = SandboxConfig::demo(args.listen, args.customers, args.devices, args.seed);
    let sandbox = Sandbox::start(config).await.map_err(|error| Failure::start("the sandbox", &error))?;
    if let Some(path) = &args.handle {
        SandboxHandle::of(&sandbox).write(path)?;
    }
    say!("NinjaOne sandbox  {}", sandbox.base_url());
    say!("client id         {}", sandbox.client_id());
    say!("client secret     {}", sandbox.client_secret().expose_secret());
    if let Some(app) = sandbox.people() {
        say!("people's app      {}", app.id);
        say!("its secret        {}", app.secret.expose_secret());
    }
    say!("Rev.io sandbox    {}", sandbox.revio_base_url());
    say!("user              {}@{}", sandbox.revio_user(), sandbox.revio_client_code());
    say!("password          {}", sandbox.revio_password().expose_secret());
    say!("Microsoft Graph   {}", sandbox.graph_url());
    say!("sign-in           {}", sandbox.graph_login_url());
    say!("client id         {}", sandbox.graph().client_id);
    say!("client secret     {}", sandbox.graph().client_secret.expose_secret());
    say!("for SharePoint    {}", sandbox.graph().sharepoint_client_id);
    say!("client secret     {}", sandbox.graph().sharepoint_client_secret.expose_secret());
    say!("home tenant       {}", sandbox.graph().home_tenant_id);
    say!("CIPP              {}", sandbox.cipp_url());
    say!("client id         {}", sandbox.cipp().client_id);
    say!("client secret     {}", sandbox.cipp().client_secret.expose_secret());
    say!("control           header x-sandbox-control: {}", sandbox.control_token().expose_secret());
    shutdown.wait().await;
    sandbox.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

async fn trigger(
    settings: &Settings,
    illness: Illness,
    lying: bool,
    device_id: Option<i64>,
) -> Result<ExitCode, Failure> {
    let kind = match illness {
        Illness::DiskFull => "disk_full",
        Illness::ServiceStopped => "service_stopped",
    };
    let mut body = json!({ "kind": kind, "lying": lying });
    if let Some(device_id) = device_id {
        body["device_id"] = json!(device_id);
    }
    let said = ask(settings, "/_sandbox/trigger", body).await?;
    let name = |member: &str| said[member].as_str().unwrap_or("?").to_owned();
    say!("{} of {} is ill now: {}", name("device_name"), name("organization_name"), kind.replace('_', " "));
    say!("Watch it in the console:");
    say!("  1. Incidents: a new one within seconds, its ticket, and a run that waits for approval");
    say!("  2. Approvals: read the plan, approve");
    if lying {
        say!(
            "  3. The run ends as unverified: the vendor says done, the reading says otherwise; the ticket escalates"
        );
    } else {
        say!("  3. The run ends as verified: incident resolved, ticket closed, evidence to download");
    }
    Ok(ExitCode::SUCCESS)
}

async fn advance(settings: &Settings, days: u32) -> Result<ExitCode, Failure> {
    let said =
        ask(settings, "/_sandbox/clock/advance", json!({ "seconds": u64::from(days) * DAY_S })).await?;
    say!("It is {} at the vendors now.", said["now"].as_str().unwrap_or("later"));
    say!("Months that began were billed. Integrations, Rev.io, Full sync: the bills arrive.");
    say!("Money, Differences: what waited for its bill closes when a bill carries it.");
    Ok(ExitCode::SUCCESS)
}

/// What the control plane of the running demo's sandbox answers.
async fn ask(settings: &Settings, path: &str, body: Value) -> Result<Value, Failure> {
    let demo = SandboxHandle::read(&SandboxHandle::in_data_dir(&settings.data_dir))?;
    let failed =
        |error: &dyn std::error::Error| Failure::start("the sandbox (does the demo still run?)", error);
    let client =
        HttpClient::new(HttpConfig::new(demo.base_url), Clock::system()).map_err(|error| failed(&error))?;
    let call = Call::post(path).header(CONTROL_HEADER, demo.control_token.into()).json(body);
    let answer = client.send(&call).await.map_err(|error| failed(&error))?;
    let said = answer.json().map_err(|error| failed(&error))?;
    if answer.is_success() {
        return Ok(said);
    }
    let why = said["sandbox_error"].as_str().unwrap_or("no reason given");
    Err(Failure::text(format!("The sandbox refused: {why}.")))
}
