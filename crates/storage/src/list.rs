//! `object/list` and `object/list-v2`: what the caller may see, by folder or flat. A foreign prefix is an empty list.
use axum::{
    Extension, Json,
    extract::{Path, State},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use pg::{Actor, Row, access::Source};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    bucket::{Bucket, Kind},
    error::StorageError,
    name::{folder_prefix, raw_prefix},
    object::{COLUMNS, Object},
    place::{Place, customer_of},
    state::{Inner, StorageState},
    told::Told,
    who::Who,
};

const ROWS_DEFAULT: i64 = 100;
const ROWS_MAX: i64 = 1_000;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Sorting {
    column: Option<String>,
    order: Option<String>,
}

impl Sorting {
    /// The column; the name decides among equals.
    fn column(&self) -> Result<&'static str, StorageError> {
        match self.column.as_deref().unwrap_or("name") {
            "name" => Ok("name"),
            "updated_at" | "last_accessed_at" => Ok("updated_at"),
            "created_at" => Ok("created_at"),
            _ => Err(StorageError::invalid("Sort by name, created_at, updated_at or last_accessed_at.")),
        }
    }

    fn is_descending(&self) -> bool {
        self.order.as_deref().is_some_and(|order| order.eq_ignore_ascii_case("desc"))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Asked {
    prefix: String,
    limit: Option<i64>,
    offset: Option<i64>,
    sort_by: Option<Sorting>,
    search: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AskedV2 {
    prefix: String,
    limit: Option<i64>,
    cursor: Option<String>,
    with_delimiter: bool,
    #[serde(rename = "sortBy")]
    sort_by: Option<Sorting>,
}

/// Where a page begins: after this one.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Cursor {
    at: Option<Timestamp>,
    name: Option<String>,
}

/// What one page is made from. `$1` customer or null, `$2` bucket, `$3` prefix.
struct Page<'a> {
    bucket: &'a Bucket,
    prefix: &'a str,
    /// The last characters of the prefix up to here are the folder that names are relative to.
    folder_chars: i32,
    grouping: Grouping,
    sorting: &'a Sorting,
    search: &'a str,
    after: Cursor,
    offset: i64,
    limit: i64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Grouping {
    /// Folders stand for what is in them.
    Folders,
    Flat,
}

impl Page<'_> {
    /// Rows: label, sort time, then the object's columns (null for a folder).
    async fn read(&self, state: &Inner, who: &Who) -> Result<Vec<Row>, StorageError> {
        let (table, customer) = match self.bucket.kind {
            Kind::Provider => ("storage.provider_objects", None),
            Kind::Customer => {
                let customer = self.prefix.split_once('/').and_then(|(first, _)| customer_of(first));
                ("storage.objects", customer.map(|customer| customer.0))
            }
        };
        let of = match (self.bucket.kind, customer) {
            (Kind::Customer, Some(_)) => "o.customer_id = $1",
            _ => "$1::uuid is null",
        };
        let (is_file, folders) = match self.grouping {
            Grouping::Flat => ("true", String::new()),
            Grouping::Folders => (
                "strpos(o.rest, '/') = 0",
                "union all select distinct split_part(o.rest, '/', 1), 'epoch'::timestamptz, null::uuid, null, null, null, \
                 null::bigint, null, null, null::jsonb, null::uuid, null::timestamptz, null::timestamptz \
                 from here o where strpos(o.rest, '/') > 0"
                    .to_owned(),
            ),
        };
        let time = match self.sorting.column()? {
            "name" => "'epoch'::timestamptz",
            "created_at" => "o.created_at",
            _ => "o.updated_at",
        };
        let (order, past) = if self.sorting.is_descending() { ("desc", "<") } else { ("asc", ">") };
        let sql = format!(
            "with here as (select o.*, substr(o.name, $4 + 1) as rest from {table} o \
               where {of} and o.bucket = $2 and o.name >= $3 and o.name < $3 || chr(1114111)), \
             lines as (select o.rest as label, {time} as at, {COLUMNS} from here o where {is_file} {folders}) \
             select * from lines l where ($5 = '' or strpos(lower(l.label), lower($5)) > 0) \
               and ($7::text is null or (l.at, l.label collate \"C\") {past} ($6::timestamptz, $7::text collate \"C\")) \
             order by l.at {order}, l.label collate \"C\" {order}, l.id limit $8 offset $9"
        );
        let tx = who.begin(state, Place::Provider).await?;
        let rows = tx
            .query(
                &sql,
                &[
                    &customer,
                    &self.bucket.name,
                    &self.prefix,
                    &self.folder_chars,
                    &self.search,
                    &self.after.at,
                    &self.after.name,
                    &self.limit,
                    &self.offset,
                ],
            )
            .await?;
        tx.rollback().await?;
        let how = if self.search.is_empty() { "prefix" } else { "prefix&search" };
        who.note(state, Source::List, &self.bucket.name, rows.len(), how);
        Ok(rows)
    }
}

fn chars(text: &str) -> i32 {
    i32::try_from(text.chars().count()).unwrap_or(i32::MAX)
}

/// The object of a line; `None` for a folder.
fn object(row: &Row) -> Option<Object> {
    row.get::<_, Option<uuid::Uuid>>(2).map(|id| Object {
        id,
        name: row.get(3),
        key: crate::blob::BlobKey::from_row(row.get(4)),
        sha256: row.get(5),
        size_bytes: u64::try_from(row.get::<_, i64>(6)).unwrap_or(0),
        mime: row.get(7),
        cache_control: row.get(8),
        user_metadata: row.get(9),
        owner: row.get(10),
        created_at: row.get(11),
        updated_at: row.get(12),
    })
}

/// `POST /object/list/<bucket>`: one folder, files and folders in one list.
pub(crate) async fn list(
    State(state): State<StorageState>,
    Path(bucket): Path<String>,
    actor: Option<Extension<Actor>>,
    Told(asked): Told<Asked>,
) -> Result<Json<Value>, StorageError> {
    let (state, who) = (&state.0, Who::signed_in(actor.map(|Extension(actor)| actor))?);
    let bucket = Bucket::of(state, &who, &bucket).await?;
    let prefix = folder_prefix(&asked.prefix)?;
    let page = Page {
        bucket: &bucket,
        prefix: &prefix,
        folder_chars: chars(&prefix),
        grouping: Grouping::Folders,
        sorting: &asked.sort_by.unwrap_or_default(),
        search: asked.search.as_deref().unwrap_or_default(),
        after: Cursor::default(),
        offset: asked.offset.unwrap_or(0).max(0),
        limit: asked.limit.unwrap_or(ROWS_DEFAULT).clamp(1, ROWS_MAX),
    };
    let rows = page.read(state, &who).await?;
    let lines = rows.iter().map(|row| {
        let label: &str = row.get(0);
        object(row).map_or_else(
            || {
                json!({
                    "name": label, "id": null, "updated_at": null, "created_at": null, "last_accessed_at": null,
                    "metadata": null,
                })
            },
            |object| object.listed(label),
        )
    });
    Ok(Json(lines.collect()))
}

/// `POST /object/list-v2/<bucket>`: by any prefix, flat or by folder, page after page.
pub(crate) async fn list_v2(
    State(state): State<StorageState>,
    Path(bucket): Path<String>,
    actor: Option<Extension<Actor>>,
    Told(asked): Told<AskedV2>,
) -> Result<Json<Value>, StorageError> {
    let (state, who) = (&state.0, Who::signed_in(actor.map(|Extension(actor)| actor))?);
    let bucket = Bucket::of(state, &who, &bucket).await?;
    let prefix = raw_prefix(&asked.prefix)?;
    let folder = match asked.with_delimiter {
        true => prefix.rfind('/').map_or("", |end| &prefix[..=end]),
        false => "",
    };
    let limit = asked.limit.unwrap_or(ROWS_DEFAULT).clamp(1, ROWS_MAX);
    let page = Page {
        bucket: &bucket,
        prefix: &prefix,
        folder_chars: chars(folder),
        grouping: if asked.with_delimiter { Grouping::Folders } else { Grouping::Flat },
        sorting: &asked.sort_by.unwrap_or_default(),
        search: "",
        after: asked.cursor.as_deref().map(read_cursor).transpose()?.unwrap_or_default(),
        offset: 0,
        limit: limit + 1,
    };
    let mut rows = page.read(state, &who).await?;
    let has_next = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = rows.last().filter(|_| has_next).map(write_cursor).transpose()?;
    let (mut folders, mut objects) = (Vec::new(), Vec::new());
    for row in &rows {
        let label: &str = row.get(0);
        match object(row) {
            None => folders
                .push(json!({ "name": format!("{folder}{label}/"), "key": format!("{folder}{label}") })),
            Some(object) => {
                let mut line = object.listed(&object.name);
                line["key"] = json!(object.name);
                objects.push(line);
            }
        }
    }
    let mut answer = json!({ "hasNext": has_next, "folders": folders, "objects": objects });
    if let Some(next) = next {
        answer["nextCursor"] = json!(next);
    }
    Ok(Json(answer))
}

fn write_cursor(row: &Row) -> Result<String, StorageError> {
    let cursor = Cursor { at: Some(row.get(1)), name: Some(row.get(0)) };
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).map_err(StorageError::internal)?))
}

fn read_cursor(text: &str) -> Result<Cursor, StorageError> {
    URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| StorageError::invalid("This cursor is not one of ours."))
}
