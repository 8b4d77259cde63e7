//! How a sandbox is set up.
use std::net::{Ipv4Addr, SocketAddr};

use kernel::Clock;
use secrecy::SecretString;
use uuid::{Uuid, uuid};

pub const CUSTOMERS_MAX: u32 = 5_000;
pub const DEVICES_MAX: u32 = 100_000;
/// The client id that a sandbox knows unless it is told otherwise. Its secret is new at every start.
pub const CLIENT_ID_DEFAULT: &str = "obera-sandbox";
/// The app through which people sign in.
pub const SIGN_IN_CLIENT_ID_DEFAULT: &str = "obera-sandbox-people";
const GRAPH_CLIENT_ID: Uuid = uuid!("4c1b7a52-6b0e-4c8f-9a43-0f5d2f6f9d11");
const CIPP_CLIENT_ID: Uuid = uuid!("9d2f6c3e-7a41-4b8b-8c55-3e1f0b9a7d42");
const SHAREPOINT_CLIENT_ID: Uuid = uuid!("8d2f41c6-3a57-4b0d-9f1e-5f6d8a1c7b23");
const HOME_TENANT_ID: Uuid = uuid!("b3a7c1de-52c4-4f0e-8f6a-6a1f0a7c2e90");
/// Of `people_per_tenant`.
pub const PEOPLE_MAX: u32 = 100_000;
/// How long a script takes in a demonstration.
const SCRIPT_DURATION_DEMO_MS: u64 = 1_500;

#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Port 0 picks a free one.
    pub bind: SocketAddr,
    /// 1 to 5,000.
    pub customers: u32,
    /// Up to 100,000.
    pub devices: u32,
    /// The same seed, sizes and clock give the same estate.
    pub seed: u64,
    pub clock: Clock,
    /// The API apps that this host knows. A sandbox is one host: another one knows others.
    pub clients: Vec<ClientApp>,
    /// For the header `x-sandbox-control`.
    pub control_token: SecretString,
    /// From the answer to the end of a script. Zero ends it within the call.
    pub script_duration_ms: u64,
    /// Devices that are ill from the start.
    pub initial_conditions: u32,
    pub delivery: DeliveryPolicy,
    pub revio: RevIoAccess,
    pub graph: GraphAccess,
    pub cipp: CippAccess,
    /// Employees of each tenant; `None` takes as many as its workstations need.
    pub people_per_tenant: Option<u32>,
}

/// The two applications that the sandbox's Microsoft Graph knows, in every tenant but one: for the directory, and for SharePoint.
#[derive(Clone, Debug)]
pub struct GraphAccess {
    pub client_id: String,
    pub client_secret: SecretString,
    /// Of the application that reads SharePoint, and nothing else.
    pub sharepoint_client_id: String,
    pub sharepoint_client_secret: SecretString,
    /// The MSP's own tenant.
    pub home_tenant_id: Uuid,
}

impl GraphAccess {
    /// A secret that nobody has seen.
    pub fn new() -> Self {
        Self {
            client_id: GRAPH_CLIENT_ID.to_string(),
            client_secret: random(),
            sharepoint_client_id: SHAREPOINT_CLIENT_ID.to_string(),
            sharepoint_client_secret: random(),
            home_tenant_id: HOME_TENANT_ID,
        }
    }
}

impl Default for GraphAccess {
    fn default() -> Self {
        Self::new()
    }
}

/// The one API client that the sandbox's CIPP deployment knows, registered in the MSP's own tenant.
#[derive(Clone, Debug)]
pub struct CippAccess {
    pub client_id: String,
    pub client_secret: SecretString,
}

impl CippAccess {
    /// A secret that nobody has seen.
    pub fn new() -> Self {
        Self { client_id: CIPP_CLIENT_ID.to_string(), client_secret: random() }
    }
}

impl Default for CippAccess {
    fn default() -> Self {
        Self::new()
    }
}

/// The one API user that the sandbox's Rev.io knows.
#[derive(Clone, Debug)]
pub struct RevIoAccess {
    pub user: String,
    pub client_code: String,
    pub password: SecretString,
    /// `None` asks for none.
    pub subscription_key: Option<SecretString>,
    /// The vendor's is 500, with 150,000 a day. `None` counts none.
    pub calls_per_minute_max: Option<u32>,
}

impl RevIoAccess {
    /// A password that nobody has seen.
    pub fn new() -> Self {
        Self {
            user: "obera".into(),
            client_code: "msp_sandbox".into(),
            password: random(),
            subscription_key: None,
            calls_per_minute_max: Some(500),
        }
    }
}

impl Default for RevIoAccess {
    fn default() -> Self {
        Self::new()
    }
}

/// Webhook deliveries: how often, how patiently.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryPolicy {
    pub attempts_max: u32,
    /// Doubled after every attempt.
    pub delay_first_ms: u64,
    pub timeout_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Monitoring,
    Management,
    Control,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::Monitoring, Self::Management, Self::Control];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Monitoring => "monitoring",
            Self::Management => "management",
            Self::Control => "control",
        }
    }
}

/// Only administrators may set a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Administrator,
    Technician,
}

/// How an app signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppKind {
    /// Machine to machine.
    ApiServices,
    /// People sign in, and are sent back to one of these addresses, compared to the letter.
    Web { redirects: Vec<String> },
    /// People sign in, and are sent back to a loop-back address with any port; with PKCE only.
    Native,
}

#[derive(Clone, Debug)]
pub struct ClientApp {
    pub id: String,
    pub secret: SecretString,
    pub kind: AppKind,
    pub scopes: Vec<Scope>,
    pub standing: Standing,
}

impl ClientApp {
    /// All rights, and a secret that nobody has seen.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: random(),
            kind: AppKind::ApiServices,
            scopes: Scope::ALL.to_vec(),
            standing: Standing::Administrator,
        }
    }

    /// The same for people.
    pub fn of_kind(id: impl Into<String>, kind: AppKind) -> Self {
        Self { kind, ..Self::new(id) }
    }
}

impl SandboxConfig {
    pub fn demo(bind: SocketAddr, customers: u32, devices: u32, seed: u64) -> Self {
        Self {
            bind,
            customers,
            devices,
            seed,
            clock: Clock::system(),
            clients: vec![
                ClientApp::new(CLIENT_ID_DEFAULT),
                ClientApp::of_kind(SIGN_IN_CLIENT_ID_DEFAULT, AppKind::Native),
            ],
            control_token: random(),
            script_duration_ms: SCRIPT_DURATION_DEMO_MS,
            initial_conditions: 0,
            delivery: DeliveryPolicy { attempts_max: 6, delay_first_ms: 500, timeout_ms: 5_000 },
            revio: RevIoAccess::new(),
            graph: GraphAccess::new(),
            cipp: CippAccess::new(),
            people_per_tenant: None,
        }
    }

    /// A free port on the loop-back address, scripts that end at once, retries of milliseconds, no limit of calls.
    pub fn tests(customers: u32, devices: u32) -> Self {
        Self {
            script_duration_ms: 0,
            delivery: DeliveryPolicy { attempts_max: 4, delay_first_ms: 2, timeout_ms: 2_000 },
            revio: RevIoAccess { calls_per_minute_max: None, ..RevIoAccess::new() },
            ..Self::demo(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), customers, devices, 1)
        }
    }
}

pub(crate) fn random() -> SecretString {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()).into()
}
