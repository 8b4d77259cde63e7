//! What changes something at the deployment or at a tenant.
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::state::{QueuedRun, RunState};
use super::{Answered, Asked, results};
use crate::config::random;
use crate::faults::Tamper;
use crate::graph::people::Kind;
use crate::graph::skus::Sku;
use crate::graph::tenants::Tenant;
use crate::world::World;
use secrecy::ExposeSecret as _;

/// Runs and templates that are remembered.
const KEPT_MAX: usize = 10_000;

fn text(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("value")?.as_str())
}

fn failed(words: &str) -> Answered {
    Answered::Status(500, json!({"Results": words}))
}

pub(crate) fn add_template(world: &mut World, ask: &Asked<'_>) -> Answered {
    let mut body = ask.body.clone();
    if !body["standards"].is_object() || !body["tenantFilter"].is_array() {
        return Answered::Text(
            500,
            "Invalid Tenant Selection. A standard must be assigned to at least 1 tenant.",
        );
    }
    if world.cipp.templates.len() >= KEPT_MAX {
        return Answered::Text(500, "The table is full.");
    }
    let id = text(&body["GUID"]).map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
    body["GUID"] = json!(id);
    body["updatedAt"] = json!(ask.now.to_string());
    world.cipp.templates.insert(id.clone(), body);
    Answered::Body(json!({"Results": "Successfully added template", "Metadata": {"id": id}}))
}

/// Reads its parameters from the query only.
pub(crate) fn run_standards(world: &mut World, ask: &Asked<'_>, tenant: Uuid) -> Answered {
    let (template, filter) =
        (ask.param("templateId").unwrap_or("*"), ask.param("tenantFilter").unwrap_or_default());
    if !world.cipp.templates.contains_key(template) || world.cipp.runs.len() >= KEPT_MAX {
        return results(&format!(
            "Failed to start standards run for tenant: {filter}. Error: the template was not found"
        ));
    }
    let is_lie = ask.tamper == Tamper::Lie;
    let run = QueuedRun {
        id: Uuid::new_v4(),
        tenant,
        template: template.to_owned(),
        state: RunState::Queued,
        is_lie,
    };
    world.cipp.runs.push(run);
    results(&format!("Successfully started Standards Run for tenant: {filter}"))
}

/// The account that `name` of the body or the query names.
fn person(world: &World, tenant: Uuid, ask: &Asked<'_>, names: [&str; 2]) -> Result<u32, Answered> {
    let given = names.iter().find_map(|name| text(&ask.body[*name]).or_else(|| ask.param(name)));
    let id = given.ok_or_else(|| failed("Failed: no user was named"))?;
    let found = world.directory.tenants.get(&tenant).and_then(|it| it.find(id));
    found.ok_or_else(|| failed(&format!("Failed to find the user {id}. Resource does not exist.")))
}

pub(crate) fn on_person(world: &mut World, ask: &Asked<'_>, tenant: Uuid) -> Answered {
    let index = match person(world, tenant, ask, ["ID", "id"]) {
        Ok(index) => index,
        Err(answer) => return answer,
    };
    let now = ask.now;
    let Some(directory) = world.directory.tenants.get_mut(&tenant) else {
        return failed("Failed: no tenant");
    };
    let id = directory.user_id(index);
    let name = directory.person(index).user_principal_name;
    let is_lie = ask.tamper == Tamper::Lie;
    let mut reset =
        |what: &'static str| *world.cipp.resets.entry((what, id)).or_default() += u32::from(!is_lie);
    match ask.endpoint.as_str() {
        "execdisableuser" => {
            let enable = ask.body["Enable"] == true
                || text(&ask.body["Enable"]).is_some_and(|it| it.eq_ignore_ascii_case("true"));
            if !is_lie {
                switch(directory, index, enable, now);
            }
            results(&format!("User account {name} {}", if enable { "enabled" } else { "disabled" }))
        }
        "execresetpass" => {
            reset("password");
            let password = random().expose_secret().chars().take(12).collect::<String>();
            Answered::Body(
                json!({"Results": {"resultText": format!("Successfully reset the password for {name}"), "copyField": password, "state": "success"}}),
            )
        }
        "execresetmfa" => {
            reset("mfa");
            results(&format!(
                "Successfully removed MFA methods for user {name}. User must supply MFA at next logon"
            ))
        }
        _ => {
            reset("sessions");
            results(&format!("Revoked sessions for {name}"))
        }
    }
}

fn switch(tenant: &mut Tenant, index: u32, enable: bool, now: Timestamp) {
    if enable {
        tenant.edits.entry(index).or_default().disabled = None;
        tenant.changes.push(index);
    } else {
        tenant.disable(index, now);
    }
}

/// The steps that the sandbox knows are done at once; it says that they are queued.
pub(crate) fn offboard(world: &mut World, ask: &Asked<'_>, tenant: Uuid) -> Answered {
    let Some(users) = ask.body["user"].as_array().filter(|users| !users.is_empty()) else {
        return failed("Failed to offboard: no user was named");
    };
    let now = ask.now;
    let mut said = Vec::new();
    for user in users {
        let name = text(user).unwrap_or_default();
        let Some(directory) = world.directory.tenants.get_mut(&tenant) else { continue };
        let Some(index) = directory.find(name) else {
            said.push(json!(format!("Failed to offboard {name}: Resource does not exist.")));
            continue;
        };
        if ask.tamper != Tamper::Lie {
            if ask.body["DisableSignIn"] == true {
                directory.disable(index, now);
            }
            if ask.body["RemoveLicenses"] == true {
                directory.take_all(index, now);
            }
            let id = directory.user_id(index);
            let mailbox = world.cipp.mailboxes.entry((tenant, id)).or_default();
            if ask.body["ConvertToShared"] == true {
                mailbox.is_shared = Some(true);
            }
            if let Some(to) = text(&ask.body["forward"]) {
                mailbox.forward_to = Some(to.to_owned());
            }
        }
        said.push(json!(format!("Offboarding job queued for {name}")));
    }
    Answered::Body(json!({"Results": said}))
}

/// The body is a list, and only the first account of each entry is acted on.
pub(crate) fn bulk_license(world: &mut World, ask: &Asked<'_>, tenant: Uuid) -> Answered {
    let Some(entries) = ask.body.as_array() else { return Answered::Text(500, "The body is not a list.") };
    let mut said = Vec::new();
    for entry in entries {
        let id = entry["userIds"][0].as_str().unwrap_or_default();
        let Some(directory) = world.directory.tenants.get_mut(&tenant) else { continue };
        let Some(index) = directory.find(id) else {
            said.push(json!(format!("Failed to process licenses for user {id}. Error: not found")));
            continue;
        };
        let skus = |name: &str| -> Vec<Sku> {
            let ids = entry[name].as_array().into_iter().flatten().filter_map(|it| it["value"].as_str());
            ids.filter_map(|id| id.parse().ok()).filter_map(Sku::of).collect()
        };
        if ask.tamper != Tamper::Lie {
            if entry["RemoveAllLicenses"] == true {
                directory.take_all(index, ask.now);
            }
            for sku in skus("LicensesToRemove") {
                directory.take(index, sku, ask.now);
            }
            for sku in skus("Licenses") {
                directory.assign(index, sku, ask.now);
            }
        }
        said.push(json!(format!("Successfully processed licenses for user {id}")));
    }
    Answered::Body(json!({"Results": said}))
}

pub(crate) fn on_mailbox(world: &mut World, ask: &Asked<'_>, tenant: Uuid) -> Answered {
    let index = match person(world, tenant, ask, ["userID", "ID"]) {
        Ok(index) => index,
        Err(answer) => return answer,
    };
    let Some(directory) = world.directory.tenants.get(&tenant) else { return failed("Failed: no tenant") };
    let (id, kind) = (directory.user_id(index), directory.basics(index).kind);
    if kind == Kind::Guest {
        return failed("Failed: the user has no mailbox");
    }
    if ask.tamper == Tamper::Lie {
        return results("Successfully changed the mailbox");
    }
    let mailbox = world.cipp.mailboxes.entry((tenant, id)).or_default();
    if ask.endpoint == "execconvertmailbox" {
        mailbox.is_shared = Some(text(&ask.body["MailboxType"]) == Some("Shared"));
        return results("Converted the mailbox");
    }
    match text(&ask.body["forwardOption"]) {
        Some("disabled") => {
            mailbox.forward_to = None;
            mailbox.keeps_copy = false;
        }
        // A bare text resolves to nothing: the vendor reads `.value`.
        Some("internalAddress") => {
            let Some(to) = ask.body["ForwardInternal"]["value"].as_str() else {
                return failed("Failed: no address to forward to");
            };
            mailbox.forward_to = Some(to.to_owned());
            mailbox.keeps_copy = ask.body["KeepCopy"] == true;
        }
        _ => return failed("Failed: the option is not known"),
    }
    results("Successfully set forwarding")
}
