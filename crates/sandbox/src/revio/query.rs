//! Paging and filters of lists. Keys need their prefix `search.`; one without it is ignored, as is an unknown one.
use axum::extract::Query;
use axum::http::Uri;
use axum::response::Response;

use super::errors::Refusal;
use crate::faults::Tamper;
use crate::world::{PageBorders, RevIoKeys, World};

const PAGE_ROWS_DEFAULT: usize = 10;
const PAGE_ROWS_MAX: usize = 500;

#[derive(Debug)]
pub(crate) struct Params {
    rows: usize,
    page: usize,
    is_descending: bool,
    filters: Vec<(String, String)>,
}

impl Params {
    pub fn read(uri: &Uri, id_member: &str, keys: RevIoKeys) -> Result<Self, Refusal> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| Refusal::bad("The query string cannot be read"))?;
        let mut params = Self { rows: PAGE_ROWS_DEFAULT, page: 1, is_descending: false, filters: Vec::new() };
        let mut faults = Vec::new();
        for (key, value) in pairs {
            let name = match (key.strip_prefix("search."), keys) {
                (Some(name), _) => name.to_owned(),
                (None, RevIoKeys::AcceptUnprefixed) => key,
                (None, RevIoKeys::Prefixed) => continue,
            };
            let number = value.parse::<usize>().ok().filter(|number| *number >= 1);
            match (name.as_str(), number) {
                ("page_size", Some(rows)) if rows <= PAGE_ROWS_MAX => params.rows = rows,
                ("page", Some(page)) => params.page = page,
                ("page_size" | "page", _) => faults.push(format!("{name} is not valid")),
                ("sort", _) => {
                    let member = value.strip_prefix('-').unwrap_or(&value);
                    params.is_descending = value.starts_with('-');
                    if member != id_member && member != "created_date" {
                        faults.push(format!("sort by {member} is not possible"));
                    }
                }
                _ => params.filters.push((name, value)),
            }
        }
        if faults.is_empty() { Ok(params) } else { Err(Refusal::invalid(&faults)) }
    }

    /// Whether a row with this value of a member is wanted. A repeated key means any of its values.
    pub fn wants(&self, member: &str, value: &str) -> bool {
        let mut asked =
            self.filters.iter().filter(|(name, _)| name == member).map(|(_, wanted)| wanted).peekable();
        asked.peek().is_none() || asked.any(|wanted| wanted.eq_ignore_ascii_case(value))
    }

    /// The page of these rows (ascending by id), written out.
    pub fn answer<T>(
        &self,
        world: &mut World,
        name: &'static str,
        tamper: Tamper,
        rows: &[T],
        write: impl Fn(&World, &T) -> String,
    ) -> Response {
        if tamper == Tamper::Shift {
            *world.books.hidden.entry(name).or_default() += 1;
        }
        let hidden = world.books.hidden.get(name).copied().unwrap_or(0).min(rows.len());
        let rows = &rows[hidden..];
        let page = if tamper == Tamper::RepeatPage { self.page.max(2) - 1 } else { self.page };
        // A page of one row has no border to repeat.
        let step = match world.settings.page_borders {
            PageBorders::Repeat if self.rows > 1 => self.rows - 1,
            _ => self.rows,
        };
        let from = (page - 1).saturating_mul(step).min(rows.len());
        let to = (from + self.rows).min(rows.len());
        let at = |index: usize| if self.is_descending { &rows[rows.len() - 1 - index] } else { &rows[index] };
        let mut texts: Vec<String> = (from..to).map(|index| write(world, at(index))).collect();
        let (count, has_more) = (texts.len(), to < rows.len());
        if tamper == Tamper::Truncate {
            texts.truncate(count / 2);
        }
        let records = texts.join(",");
        super::json(
            axum::http::StatusCode::OK,
            format!(r#"{{"ok":true,"has_more":{has_more},"record_count":{count},"records":[{records}]}}"#),
        )
    }
}
