//! Connects a vendor: tries the credentials out, says which rights are missing, and keeps them sealed.
pub use connector_api::health::{Check, Health};
use connector_api::{VendorError, health::Need};
use kernel::{ApiError, Clock, ErrorCode, id::IntegrationId};
use pg::{Actor, Pg, SystemReason};
use store::integrations::{self, Connection, Vendor};

use crate::{
    access,
    vendors::{Credentials, Vendors, VendorsError},
    webhooks::ninjaone::{self as webhook, RegisterError},
};

/// Between two readings of what changed, where nobody says otherwise.
pub const SYNC_INTERVAL_S: i32 = 900;
const WRITE: &str = "integrations:write";

/// Where each vendor's API is. Other addresses are entered on the server, by whoever runs it: the product never calls
/// an address of its own network because somebody typed it into a form.
const fn hosts(vendor: Vendor) -> &'static [&'static str] {
    match vendor {
        Vendor::NinjaOne => &["ninjarmm.com", "ninjaone.com"],
        Vendor::RevIo => &["rev.io", "revioapi.com"],
        Vendor::Microsoft | Vendor::SharePoint => {
            &["graph.microsoft.com", "graph.microsoft.us", "microsoftgraph.chinacloudapi.cn"]
        }
        // Every provider has a deployment of its own; one under a domain of the provider's is entered on the server.
        Vendor::Cipp => &["azurewebsites.net", "azurestaticapps.net", "cipp.app"],
    }
}

/// Where Microsoft's clouds give tokens, in the order of their Graph.
const LOGIN_HOSTS: &[&str] =
    &["login.microsoftonline.com", "login.microsoftonline.us", "login.chinacloudapi.cn"];

/// Where the tokens for this Graph come from: the cloud's own, or beside a Graph that is no cloud's (a sandbox).
fn login_url(graph_url: &str) -> String {
    let mut clouds = hosts(Vendor::Microsoft).iter().zip(LOGIN_HOSTS);
    match clouds.find(|(graph, _)| is_at(&[**graph], graph_url)) {
        Some((_, login)) => format!("https://{login}"),
        None => format!("{}/login", origin(graph_url)),
    }
}

/// Where the tokens for a deployment of CIPP come from: Microsoft, wherever the deployment is; beside it only in a sandbox.
fn cipp_login_url(base_url: &str) -> String {
    if base_url.starts_with("https://") {
        cipp::config::LOGIN_URL.to_owned()
    } else {
        format!("{}/login", origin(base_url))
    }
}

/// Fills in what follows from the address.
fn complete(credentials: &mut Credentials, base_url: &str) {
    match credentials {
        Credentials::Microsoft(credentials) | Credentials::SharePoint(credentials)
            if credentials.login_url.is_empty() =>
        {
            credentials.login_url = login_url(base_url);
        }
        Credentials::Cipp(credentials) if credentials.login_url.is_empty() => {
            credentials.login_url = cipp_login_url(base_url);
        }
        _ => {}
    }
}

/// An integration to be.
#[derive(Debug)]
pub struct New {
    pub name: String,
    pub base_url: String,
    pub credentials: Credentials,
    pub sync_interval_s: i32,
}

/// What came of it.
#[derive(Debug)]
pub struct Tried {
    /// `None`: the vendor does not take the credentials; nothing was kept.
    pub kept: Option<IntegrationId>,
    pub health: Health,
}

/// What the credentials that are kept may do now. Needs `integrations:sync`.
pub async fn check(
    pg: &Pg,
    vendors: &dyn Vendors,
    actor: &Actor,
    id: IntegrationId,
) -> Result<Health, ApiError> {
    access::require_for_provider(pg, actor, "integrations:sync").await?;
    let vendor = visible(pg, actor, id).await?.vendor;
    Ok(health(vendors, id, vendor).await?)
}

/// As [`check`], for whoever is allowed already.
pub async fn health(
    vendors: &dyn Vendors,
    id: IntegrationId,
    vendor: Vendor,
) -> Result<Health, VendorsError> {
    Ok(match vendor {
        Vendor::NinjaOne => vendors.ninjaone(id).await?.health_check().await,
        Vendor::RevIo => vendors.revio(id).await?.health_check().await,
        Vendor::Microsoft => vendors.microsoft(id).await?.health_check().await,
        Vendor::Cipp => vendors.cipp(id).await?.health_check().await,
        Vendor::SharePoint => vendors.sharepoint(id).await?.sharepoint_health_check().await,
    })
}

/// A new integration, with its webhook where the vendor has one. It is kept when the vendor takes the credentials, also where rights are missing. Needs
/// `integrations:write`.
pub async fn connect(
    pg: &Pg,
    vendors: &dyn Vendors,
    actor: &Actor,
    mut new: New,
    public_url: Option<&str>,
    clock: &Clock,
) -> Result<Tried, ApiError> {
    access::require_for_provider(pg, actor, WRITE).await?;
    let tx = pg.system(SystemReason::Connect).await?;
    let taken = integrations::by_name(&tx, &new.name).await?.is_some();
    tx.rollback().await?;
    if taken {
        return Err(ApiError::new(ErrorCode::Conflict, "There is an integration of this name already.")
            .hint("Choose another name, or give the one that is there new credentials."));
    }
    complete(&mut new.credentials, &new.base_url);
    may_point_to(pg, &new.credentials, &new.base_url).await?;
    let mut health = vendors.try_out(&new.base_url, &new.credentials).await?;
    if !health.is_signed_in() {
        return Ok(Tried { kept: None, health });
    }
    let id = keep(pg, vendors, &new, clock).await?;
    // Without an address of ours there is none: changes arrive by polling, and the integration's page says so.
    if let (Vendor::NinjaOne, Some(url)) = (new.credentials.vendor(), public_url) {
        health.add("webhook", Need::More, register(pg, vendors, id, url, clock).await?);
    }
    Ok(Tried { kept: Some(id), health })
}

/// What the vendor says to our webhook; without it changes arrive by polling.
async fn register(
    pg: &Pg,
    vendors: &dyn Vendors,
    id: IntegrationId,
    public_url: &str,
    clock: &Clock,
) -> Result<Result<(), VendorError>, ApiError> {
    let ninja = vendors.ninjaone(id).await?;
    match webhook::register(pg, id, &ninja, public_url, clock.now()).await {
        Ok(()) => Ok(Ok(())),
        Err(RegisterError::Vendor(error)) => Ok(Err(error)),
        Err(RegisterError::Database(error)) => Err(error.into()),
    }
}

/// Other credentials for an integration, at its address. They replace those that are kept only when the vendor takes
/// them. Needs `integrations:write`.
pub async fn renew(
    pg: &Pg,
    vendors: &dyn Vendors,
    actor: &Actor,
    id: IntegrationId,
    mut credentials: Credentials,
    clock: &Clock,
) -> Result<Tried, ApiError> {
    access::require_for_provider(pg, actor, WRITE).await?;
    let integration = visible(pg, actor, id).await?;
    if integration.vendor != credentials.vendor() {
        return Err(ApiError::new(ErrorCode::ValueRefused, "These are the credentials of another vendor.")
            .hint("Nothing was changed."));
    }
    let tx = pg.system(SystemReason::Connect).await?;
    let known = integrations::by_name(&tx, &integration.name).await?.ok_or_else(access::not_found)?;
    tx.rollback().await?;
    complete(&mut credentials, &known.base_url);
    may_point_to(pg, &credentials, &known.base_url).await?;
    let health = vendors.try_out(&known.base_url, &credentials).await?;
    if !health.is_signed_in() {
        return Ok(Tried { kept: None, health });
    }
    let new = New {
        name: integration.name,
        base_url: known.base_url,
        credentials,
        sync_interval_s: known.sync_interval_s,
    };
    Ok(Tried { kept: Some(keep(pg, vendors, &new, clock).await?), health })
}

/// Adds the integration, or gives the one of that name new credentials and a new address.
pub async fn keep(
    pg: &Pg,
    vendors: &dyn Vendors,
    new: &New,
    clock: &Clock,
) -> Result<IntegrationId, VendorsError> {
    let tx = pg.system(SystemReason::Connect).await?;
    let known = integrations::by_name(&tx, &new.name).await?;
    tx.rollback().await?;
    let credential = vendors.seal(known.as_ref().and_then(|it| it.credential), &new.credentials).await?;
    let id = known.map_or_else(|| IntegrationId::new(clock.now()), |it| it.id);
    let connection = Connection {
        id,
        base_url: new.base_url.clone(),
        credential: Some(credential),
        sync_interval_s: new.sync_interval_s,
    };
    let tx = pg.system(SystemReason::Connect).await?;
    integrations::keep(&tx, &new.name, new.credentials.vendor(), &connection).await?;
    tx.commit().await?;
    tracing::info!(integration.id = %id, vendor = new.credentials.vendor().as_str(), "an integration is connected");
    Ok(id)
}

pub(crate) async fn visible(
    pg: &Pg,
    actor: &Actor,
    id: IntegrationId,
) -> Result<integrations::Integration, ApiError> {
    let tx = pg.act_as(actor).await?;
    let integration = integrations::by_id(&tx, id).await?;
    tx.rollback().await?;
    integration.ok_or_else(access::not_found)
}

/// The vendor's own hosts over https, and what was entered on the server before.
async fn may_point_to(pg: &Pg, credentials: &Credentials, base_url: &str) -> Result<(), ApiError> {
    let vendor = credentials.vendor();
    if is_at(hosts(vendor), base_url) && sign_in_url(credentials).is_none_or(|url| is_at(LOGIN_HOSTS, url)) {
        return Ok(());
    }
    let tx = pg.system(SystemReason::Connect).await?;
    let known = integrations::uses_address(&tx, vendor, base_url).await?;
    tx.rollback().await?;
    let beside = |url: &str| origin(url) == origin(base_url) || is_at(LOGIN_HOSTS, url);
    if known && sign_in_url(credentials).is_none_or(beside) {
        return Ok(());
    }
    let hosts = hosts(vendor).join(", ");
    Err(ApiError::new(ErrorCode::ValueRefused, "This is no address of the vendor's API.")
        .details(format!("It begins with https:// and its host ends in one of: {hosts}."))
        .hint("Another address is entered on the server, with `obera integration`. Nothing was kept."))
}

/// Where tokens come from, when that is another place.
fn sign_in_url(credentials: &Credentials) -> Option<&str> {
    match credentials {
        Credentials::Microsoft(credentials) | Credentials::SharePoint(credentials) => {
            Some(&credentials.login_url)
        }
        Credentials::Cipp(credentials) => Some(&credentials.login_url),
        Credentials::NinjaOne(_) | Credentials::RevIo(_) => None,
    }
}

fn is_at(hosts: &[&str], url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else { return false };
    let host = rest.split('/').next().unwrap_or_default();
    host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
        && hosts.iter().any(|own| {
            host.strip_suffix(own).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        })
}

/// Scheme, host and port.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |scheme| scheme + 3);
    url[host..].find('/').map_or(url, |path| &url[..host + path])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cloud_has_its_own_sign_in() {
        assert_eq!(login_url("http://127.0.0.1:80/graph"), "http://127.0.0.1:80/login");
        assert_eq!(login_url("https://graph.microsoft.com"), "https://login.microsoftonline.com");
        assert_eq!(login_url("https://graph.microsoft.us/"), "https://login.microsoftonline.us");
        assert_eq!(origin("http://127.0.0.1:80/graph"), origin("http://127.0.0.1:80/login"));
        assert_eq!(cipp_login_url("http://127.0.0.1:80/cipp"), "http://127.0.0.1:80/login");
        assert_eq!(cipp_login_url("https://cipp.msp.example"), "https://login.microsoftonline.com");
        assert_ne!(origin("http://127.0.0.1:80/graph"), origin("http://127.0.0.1:81/graph"));
    }

    #[test]
    fn only_the_vendors_own_hosts_are_called_for_a_form() {
        for good in ["https://app.ninjarmm.com", "https://eu.ninjarmm.com/", "https://ninjaone.com"] {
            assert!(is_at(hosts(Vendor::NinjaOne), good), "{good}");
        }
        for bad in [
            "http://app.ninjarmm.com",
            "https://127.0.0.1",
            "https://ninjarmm.com.evil.example",
            "https://evilninjarmm.com",
            "https://user@ninjarmm.com",
            "https://169.254.169.254/#.ninjarmm.com",
            "https://ninjarmm.com:8443",
            "https://restapi.rev.io",
            "",
        ] {
            assert!(!is_at(hosts(Vendor::NinjaOne), bad), "{bad}");
        }
    }
}
