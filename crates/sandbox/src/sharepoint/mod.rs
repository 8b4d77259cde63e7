//! SharePoint behind Graph: sites, libraries, lists of changes, permissions, and files at addresses that carry their own right.
pub(crate) mod control;
pub(crate) mod formats;
pub(crate) mod library;
pub(crate) mod seed;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::faults::Tamper;
use crate::graph::errors::Refusal;
use crate::graph::paging::{self, context, link, seal, unseal};
use crate::graph::tenants::Tenant;
use crate::graph::{Ask, Outcome, Reply};
use crate::server::Shared;
use crate::world::{World, later};
use library::{Drive, Item, Kind, Library, Share, Site};

const TOKEN: &str = "token";
const ROWS_USUAL: usize = 200;
/// How long the vendor remembers a link.
const LIFETIME_S: i64 = 30 * 86_400;
const ADDRESS_LIFETIME_S: i64 = 300;
const ADDRESSES_MAX: usize = 100_000;

/// The sites of all tenants; a tenant's are made when they are first asked for.
#[derive(Debug, Default)]
pub(crate) struct Libraries {
    pub of: HashMap<Uuid, Library>,
    addresses: HashMap<String, Address>,
}

#[derive(Clone, Debug)]
struct Address {
    tenant_id: Uuid,
    drive: String,
    item: String,
    expires: Timestamp,
}

impl World {
    pub fn library(&mut self, tenant_id: Uuid, now: Timestamp) -> Option<&mut Library> {
        let (estate, directory) = (&self.estate, &self.directory);
        let tenant = directory.tenants.get(&tenant_id)?;
        let made = self.libraries.of.entry(tenant_id);
        Some(made.or_insert_with(|| seed::library(tenant, estate, directory.seed, now)))
    }
}

/// The right that a path needs.
pub(crate) fn permission(path: &[&str]) -> Option<&'static str> {
    match path {
        ["sites", _, "drives", ..] | ["drives", ..] => Some("Files.Read.All"),
        ["sites", ..] => Some("Sites.Read.All"),
        _ => None,
    }
}

/// Answers one read of one tenant's sites.
pub(crate) fn answer(world: &World, tenant: &Tenant, ask: &Ask<'_>, path: &[&str]) -> Outcome {
    let library = world.libraries.of.get(&tenant.id).ok_or_else(|| Refusal::not_found("sites"))?;
    let gone = |what: &str| item_not_found(what);
    let listed =
        |rows: Vec<Value>| paging::page(ask, tenant, rows.len(), ROWS_USUAL, |range| rows[range].to_vec());
    let one_drive = |id: &str| library.drive(id).ok_or_else(|| gone(id));
    match path {
        ["sites", "getAllSites"] => {
            listed(library.sites.iter().map(|site| show_site(library, site)).collect())
        }
        ["sites"] if ask.param("search") == Some("*") => {
            listed(library.sites.iter().map(|site| show_site(library, site)).collect())
        }
        ["sites", id] => {
            let site = library.site(id).ok_or_else(|| gone(id))?;
            Ok(Reply::Json(show_site(library, site)))
        }
        ["sites", id, "drives"] => {
            let site = library.site(id).ok_or_else(|| gone(id))?;
            listed(vec![show_drive(library, site)])
        }
        ["drives", id, "root", "delta"] => {
            let (site, drive) = one_drive(id)?;
            delta(tenant, ask, library, site, drive)
        }
        ["drives", id, "items", item] => {
            let (site, drive) = one_drive(id)?;
            let item = drive.item(item).ok_or_else(|| gone(item))?;
            Ok(Reply::Json(show_item(library, site, item)))
        }
        ["drives", id, "items", item, "permissions"] => {
            let (_, drive) = one_drive(id)?;
            let item = drive.item(item).ok_or_else(|| gone(item))?;
            listed(permissions(drive, item))
        }
        ["drives", id, "items", item, "permissions", wanted] => {
            let (_, drive) = one_drive(id)?;
            let item = drive.item(item).ok_or_else(|| gone(item))?;
            let found = permissions(drive, item).into_iter().find(|row| row["id"] == *wanted);
            found.map(Reply::Json).ok_or_else(|| gone(wanted))
        }
        _ => Err(Refusal::segment(&path.join("/"))),
    }
}

fn item_not_found(what: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "itemNotFound", &format!("The resource could not be found: {what}"))
}

fn show_site(library: &Library, site: &Site) -> Value {
    let mut row = json!({
        "id": site.id, "name": site.slug, "displayName": site.name, "isPersonalSite": false,
        "webUrl": if site.is_root { format!("https://{}", library.host) } else { format!("https://{}/sites/{}", library.host, site.slug) },
        "createdDateTime": "2024-02-01T09:00:00Z", "siteCollection": {"hostname": library.host},
    });
    if site.is_root {
        row["root"] = json!({});
    }
    row
}

fn show_drive(library: &Library, site: &Site) -> Value {
    let used = site.drive.size();
    json!({
        "id": site.drive.id, "name": site.drive.name, "driveType": "documentLibrary",
        "webUrl": format!("https://{}/sites/{}/Shared%20Documents", library.host, site.slug),
        "quota": {"used": used, "total": 27_487_790_694_400_i64, "remaining": 27_487_790_694_400_i64 - used, "state": "normal"},
    })
}

/// Without a path: whoever needs it joins by the id above.
fn show_item(library: &Library, site: &Site, item: &Item) -> Value {
    let at = Timestamp::from_second(item.modified_s).unwrap_or(Timestamp::UNIX_EPOCH).to_string();
    let mut row = json!({
        "id": item.id, "name": item.name, "eTag": item.etag(), "cTag": item.ctag(), "size": 0,
        "webUrl": format!("https://{}/sites/{}/Shared%20Documents/{}", library.host, site.slug, item.id),
        "lastModifiedDateTime": at, "lastModifiedBy": {"user": {"displayName": item.modified_by}},
        "parentReference": {"driveId": site.drive.id, "driveType": "documentLibrary", "id": item.parent, "siteId": site.id},
    });
    match item.kind {
        Kind::Folder => row["folder"] = json!({"childCount": site.drive.children(&item.id).len()}),
        Kind::Package => row["package"] = json!({"type": "oneNote"}),
        Kind::File => {
            let bytes = item.bytes();
            row["size"] = bytes.len().into();
            row["file"] = json!({"mimeType": formats::mime(&item.name), "hashes": {"quickXorHash": formats::quick_xor_hash(&bytes)}});
        }
    }
    if let Some(share) = item.shares.first() {
        row["shared"] = json!({"scope": share.scope});
    }
    row
}

fn permissions(drive: &Drive, item: &Item) -> Vec<Value> {
    let owners = json!({"id": "Own", "roles": ["owner"], "grantedToV2": {"siteGroup": {"id": "3", "displayName": "Owners"}}});
    let mut rows = vec![owners];
    rows.extend(item.shares.iter().map(|share| show_share(share, None)));
    let mut above = item.parent.as_str();
    while let Some(folder) = drive.item(above) {
        rows.extend(folder.shares.iter().map(|share| show_share(share, Some(&folder.id))));
        above = &folder.parent;
    }
    rows
}

fn show_share(share: &Share, inherited_from: Option<&str>) -> Value {
    let role = if share.kind == "edit" { "write" } else { "read" };
    let mut row = json!({
        "id": share.id, "roles": [role], "hasPassword": share.has_password,
        "link": {"type": share.kind, "scope": share.scope, "webUrl": "https://link.example"},
    });
    if let Some((name, mail)) = &share.guest {
        let login = format!("i:0#.f|membership|{}#ext#@tenant.example", mail.replace('@', "_"));
        row["grantedToIdentitiesV2"] = json!([{"user": {"displayName": name, "email": mail}, "siteUser": {"loginName": login, "displayName": name}}]);
    }
    if let Some(expires) = share.expires_s {
        row["expirationDateTime"] =
            Timestamp::from_second(expires).unwrap_or(Timestamp::MAX).to_string().into();
    }
    if let Some(id) = inherited_from {
        row["inheritedFrom"] = json!({"id": id});
    }
    row
}

/// A round's link: how far the log was, and when it was given.
fn end(tenant: &Tenant, ask: &Ask<'_>, place: usize) -> String {
    link(ask, TOKEN, &seal(ask, tenant, &format!("d_{place}_{}", ask.now.as_second())))
}

fn delta(tenant: &Tenant, ask: &Ask<'_>, library: &Library, site: &Site, drive: &Drive) -> Outcome {
    let forgotten = || {
        let from = link(ask, TOKEN, &seal(ask, tenant, &format!("p_0_{}", drive.log.len())));
        Err(Refusal::resync_from("resyncChangesApplyDifferences", from))
    };
    let invalid = || Refusal::new(StatusCode::BAD_REQUEST, "invalidRequest", "The token is not valid.");
    match ask.param(TOKEN) {
        Some("latest") => {
            Ok(Reply::Json(json!({"value": [], "@odata.deltaLink": end(tenant, ask, drive.log.len())})))
        }
        Some(_) if ask.tamper == Tamper::ForgetLink => forgotten(),
        None => round(tenant, ask, (library, site, drive), 0, drive.log.len()),
        Some(token) => {
            let word = unseal(ask, tenant, token).map_err(|_| invalid())?;
            let parts: Vec<&str> = word.split('_').collect();
            let number =
                |at: usize| parts.get(at).and_then(|part| part.parse::<i64>().ok()).ok_or_else(invalid);
            let first = usize::try_from(number(1)?).unwrap_or(0);
            match parts.first() {
                Some(&"p") => round(
                    tenant,
                    ask,
                    (library, site, drive),
                    first,
                    usize::try_from(number(2)?).unwrap_or(0),
                ),
                _ if ask.now.as_second() - number(2)? > LIFETIME_S => forgotten(),
                _ => {
                    let row = |id: &String| match drive.item(id) {
                        Some(item) => show_item(library, site, item),
                        None => json!({"id": id, "deleted": {"state": "deleted"}}),
                    };
                    let mut rows: Vec<Value> = drive.log.iter().skip(first).map(row).collect();
                    let mut body = json!({"@odata.context": context(ask, "driveItem")});
                    if ask.tamper == Tamper::Truncate {
                        rows.truncate(rows.len() / 2);
                    } else {
                        body["@odata.deltaLink"] = end(tenant, ask, drive.log.len()).into();
                    }
                    body["value"] = rows.into();
                    Ok(Reply::Json(body))
                }
            }
        }
    }
}

/// A page of all items; `place` is where the log was when the round began.
fn round(
    tenant: &Tenant,
    ask: &Ask<'_>,
    (library, site, drive): (&Library, &Site, &Drive),
    from: usize,
    place: usize,
) -> Outcome {
    let top = paging::size(ask, ROWS_USUAL, 999)?;
    let live: Vec<&Item> = drive.items.iter().filter(|item| !item.is_deleted).collect();
    let to = (from + top).min(live.len());
    // The last row of the page before comes again.
    let first = from.min(live.len()).saturating_sub(1);
    let mut rows: Vec<Value> = Vec::new();
    if from == 0 {
        rows.push(json!({
            "id": drive.root, "name": "root", "root": {}, "folder": {"childCount": drive.children(&drive.root).len()},
            "parentReference": {"driveId": drive.id},
        }));
    }
    rows.extend(live[first..to].iter().map(|item| show_item(library, site, item)));
    let mut body = json!({"@odata.context": context(ask, "driveItem")});
    if ask.tamper == Tamper::Truncate {
        rows.truncate(rows.len() / 2);
    } else if to < live.len() {
        body["@odata.nextLink"] = link(ask, TOKEN, &seal(ask, tenant, &format!("p_{to}_{place}"))).into();
    } else {
        body["@odata.deltaLink"] = end(tenant, ask, place).into();
    }
    body["value"] = rows.into();
    Ok(Reply::Json(body))
}

/// Where the bytes of an item are, for some minutes.
pub(crate) fn content(
    world: &mut World,
    tenant_id: Uuid,
    (drive, item): (&str, &str),
    unless: Option<&str>,
    base: &str,
    now: Timestamp,
) -> Result<Response, Refusal> {
    let library = world.library(tenant_id, now).ok_or_else(Refusal::token)?;
    let found =
        library.drive(drive).and_then(|(_, drive)| drive.item(item)).ok_or_else(|| item_not_found(item))?;
    if found.kind != Kind::File {
        return Err(Refusal::bad("Only files have a content."));
    }
    if unless == Some(found.etag().as_str()) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    if world.libraries.addresses.len() >= ADDRESSES_MAX {
        world.libraries.addresses.retain(|_, address| address.expires > now);
    }
    let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let address = Address {
        tenant_id,
        drive: drive.to_owned(),
        item: item.to_owned(),
        expires: later(now, ADDRESS_LIFETIME_S),
    };
    world.libraries.addresses.insert(token.clone(), address);
    let mut answer = StatusCode::FOUND.into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("{base}/_files/{token}")) {
        answer.headers_mut().insert(header::LOCATION, location);
    }
    Ok(answer)
}

/// A file at its address. A token has no business here: it would have leaked.
pub(crate) async fn file(
    State(shared): State<Arc<Shared>>,
    Extension(tamper): Extension<Tamper>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    if headers.contains_key(header::AUTHORIZATION) {
        let text = "An authorization header is not taken at a download address.";
        return Refusal::new(StatusCode::UNAUTHORIZED, "unauthenticated", text).into_response();
    }
    let now = shared.now();
    let world = shared.world();
    let known = world.libraries.addresses.get(&token).filter(|address| address.expires > now);
    let item = known.and_then(|address| {
        let library = world.libraries.of.get(&address.tenant_id)?;
        library.drive(&address.drive)?.1.item(&address.item)
    });
    let Some(item) = item else {
        return Refusal::new(StatusCode::UNAUTHORIZED, "unauthenticated", "The address has expired.")
            .into_response();
    };
    let mut bytes = item.bytes();
    if tamper == Tamper::Corrupt
        && let Some(byte) = bytes.first_mut()
    {
        *byte ^= 1;
    }
    piece(&headers, bytes)
}

fn piece(headers: &HeaderMap, bytes: Vec<u8>) -> Response {
    let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok()?.strip_prefix("bytes="));
    let Some((from, to)) = range.and_then(|range| range.split_once('-')) else {
        return Response::new(Body::from(bytes));
    };
    let from: usize = from.parse().unwrap_or(0);
    let to = to.parse::<usize>().unwrap_or(usize::MAX).min(bytes.len().saturating_sub(1));
    if from >= bytes.len() || from > to {
        return StatusCode::RANGE_NOT_SATISFIABLE.into_response();
    }
    let said = format!("bytes {from}-{to}/{}", bytes.len());
    let mut answer = Response::new(Body::from(bytes[from..=to].to_vec()));
    *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
    if let Ok(said) = HeaderValue::from_str(&said) {
        answer.headers_mut().insert(header::CONTENT_RANGE, said);
    }
    answer
}
