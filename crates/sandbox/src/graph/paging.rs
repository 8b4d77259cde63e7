//! Pages with opaque, sealed links: one that was changed is refused.
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use serde_json::{Value, json};

use super::errors::Refusal;
use super::tenants::Tenant;
use super::{Ask, Outcome, Reply};
use crate::faults::Tamper;

const TOKEN: &str = "$skiptoken";

pub(crate) fn context(ask: &Ask<'_>, set: &str) -> String {
    format!("{}/{}/$metadata#{set}", ask.base, ask.version_path())
}

/// Seals a word for one tenant and one question.
pub(crate) fn seal(ask: &Ask<'_>, tenant: &Tenant, word: &str) -> String {
    let mut hasher = DefaultHasher::new();
    (tenant.salt, tenant.id, &ask.path, word).hash(&mut hasher);
    for pair in ask.query.iter().filter(|(name, _)| !is_token(name)) {
        pair.hash(&mut hasher);
    }
    format!("{word}.{:016x}", hasher.finish())
}

/// The word of a token that this very question gave.
pub(crate) fn unseal<'a>(ask: &Ask<'_>, tenant: &Tenant, token: &'a str) -> Result<&'a str, Refusal> {
    let word = token.rsplit_once('.').map(|(word, _)| word).unwrap_or_default();
    let good = seal(ask, tenant, word) == token;
    good.then_some(word).ok_or_else(|| Refusal::bad("The skip token is not valid."))
}

fn is_token(name: &str) -> bool {
    [TOKEN, "$deltatoken", "token"].contains(&name)
}

/// The address of the same question with a token in the place of another.
pub(crate) fn link(ask: &Ask<'_>, name: &str, token: &str) -> String {
    let plain = |text: &str| {
        let keep =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~' | '$' | ',' | '/');
        text.chars()
            .flat_map(|c| {
                let mut bytes = [0; 4];
                let whole = c.encode_utf8(&mut bytes).as_bytes();
                if keep(c) {
                    vec![c]
                } else {
                    whole.iter().flat_map(|byte| format!("%{byte:02X}").chars().collect::<Vec<_>>()).collect()
                }
            })
            .collect::<String>()
    };
    let path: Vec<String> = ask.path.iter().map(|segment| plain(segment)).collect();
    let mut link = format!("{}/{}/{}?", ask.base, ask.version_path(), path.join("/"));
    for (key, value) in ask.query.iter().filter(|(key, _)| !is_token(key)) {
        link += &format!("{}={}&", plain(key), plain(value));
    }
    link + &format!("{name}={}", plain(token))
}

/// Rows asked for: `$top` where it is allowed, else `usual`.
pub(crate) fn size(ask: &Ask<'_>, usual: usize, most: usize) -> Result<usize, Refusal> {
    let Some(top) = ask.param("$top") else { return Ok(usual) };
    let rows = top.parse::<usize>().ok().filter(|rows| (1..=999).contains(rows));
    let invalid = || {
        Refusal::bad(&format!("Invalid page size specified: '{top}'. Must be between 1 and 999 inclusive."))
    };
    Ok(rows.ok_or_else(invalid)?.min(most))
}

/// One page of `total` rows, at the place that the token names.
pub(crate) fn page(
    ask: &Ask<'_>,
    tenant: &Tenant,
    total: usize,
    usual: usize,
    rows: impl Fn(Range<usize>) -> Vec<Value>,
) -> Outcome {
    let rows_max = size(ask, usual, 999)?;
    page_of(ask, tenant, total, rows_max, rows)
}

pub(crate) fn page_of(
    ask: &Ask<'_>,
    tenant: &Tenant,
    total: usize,
    rows_max: usize,
    rows: impl Fn(Range<usize>) -> Vec<Value>,
) -> Outcome {
    let word = ask.param(TOKEN).map(|token| unseal(ask, tenant, token)).transpose()?.unwrap_or("0");
    // A token after empty pages counts them, so that its link is another one.
    let number = word.trim_end_matches('e');
    let asked: usize = number.parse().map_err(|_| Refusal::bad("The skip token is not valid."))?;
    let from = if ask.tamper == Tamper::RepeatPage { asked.saturating_sub(rows_max) } else { asked };
    let to = if ask.tamper == Tamper::EmptyPage { from } else { (from + rows_max).min(total) };
    let mut body = json!({"@odata.context": context(ask, &ask.path.join("/"))});
    if ask.param("$count") == Some("true") && ask.is_eventual && asked == 0 {
        body["@odata.count"] = total.into();
    }
    let mut page = rows(from.min(to)..to);
    if ask.tamper == Tamper::Truncate {
        page.truncate(page.len() / 2);
    } else if to < total {
        let word = if ask.tamper == Tamper::EmptyPage {
            format!("{to}e{}", &word[number.len()..])
        } else {
            to.to_string()
        };
        body["@odata.nextLink"] = link(ask, TOKEN, &seal(ask, tenant, &word)).into();
    }
    body["value"] = page.into();
    Ok(Reply::Json(body))
}
