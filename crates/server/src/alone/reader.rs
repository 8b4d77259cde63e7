//! Where settings come from, as text: PostgREST's file format, then `PGRST_*` variables over it.
//! Source: "Configuration" page of PostgREST 14's documentation.
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::keys;

/// Setting to its text. Names as in the file: `db-uri`, `app.settings.x`.
pub type Texts = BTreeMap<String, String>;

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("The configuration {} could not be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("Line {line} of {} is not understood: {why}", path.display())]
    Line { path: PathBuf, line: usize, why: &'static str },
}

/// The file's settings, then those of the environment over them.
pub fn read(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Texts, ReadError> {
    let mut texts = match file {
        Some(path) => read_file(path, environment)?,
        None => Texts::new(),
    };
    for (name, value) in environment {
        let Some(name) = name.strip_prefix("PGRST_") else { continue };
        let name = name.to_ascii_lowercase();
        let name = match name.strip_prefix("app_settings_") {
            Some(setting) => format!("app.settings.{setting}"),
            None => name.replace('_', "-"),
        };
        put(&mut texts, &name, value.clone(), "environment variable");
    }
    // Not later: what the database says never names a file of this machine.
    for name in ["jwt-secret", "db-uri"] {
        if let Some(value) = texts.get_mut(name) {
            *value = dereferenced(value)?;
        }
    }
    Ok(texts)
}

/// Unknown names are told and left out.
fn put(texts: &mut Texts, name: &str, value: String, place: &str) {
    match keys::canonical(name) {
        Some(name) => {
            texts.insert(name, value);
        }
        None => tracing::warn!(setting = name, "unknown setting left out ({place})"),
    }
}

/// What `@path` names, without the line's end; every other text as it is.
fn dereferenced(value: &str) -> Result<String, ReadError> {
    let Some(path) = value.strip_prefix('@') else { return Ok(value.to_owned()) };
    let text = std::fs::read_to_string(path)
        .map_err(|source| ReadError::Unreadable { path: path.into(), source })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn read_file(path: &Path, environment: &BTreeMap<String, String>) -> Result<Texts, ReadError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ReadError::Unreadable { path: path.to_owned(), source })?;
    let mut texts = Texts::new();
    for (index, line) in text.lines().enumerate() {
        let wrong = |why| ReadError::Line { path: path.to_owned(), line: index + 1, why };
        if let Some((name, value)) = pair(line, environment).map_err(wrong)? {
            put(&mut texts, name, value, "configuration file");
        }
    }
    Ok(texts)
}

/// One line: `name = value`, or nothing.
fn pair<'l>(
    line: &'l str,
    environment: &BTreeMap<String, String>,
) -> Result<Option<(&'l str, String)>, &'static str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (name, rest) = line.split_once('=').ok_or("expected: name = value")?;
    let (name, rest) = (name.trim(), rest.trim());
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if name.is_empty() || !name.chars().all(is_name) {
        return Err("a name has letters, digits, dashes, dots and underscores only");
    }
    let value = match rest.strip_prefix('"') {
        Some(rest) => interpolated(&quoted(rest)?, environment)?,
        None => rest.split('#').next().unwrap_or_default().trim().to_owned(),
    };
    Ok(Some((name, value)))
}

/// The text up to the closing quote, after which only a comment may come.
fn quoted(rest: &str) -> Result<String, &'static str> {
    let mut value = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next().ok_or("the closing quote is missing")? {
            '"' => break,
            '\\' => match chars.next().ok_or("the closing quote is missing")? {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                'r' => value.push('\r'),
                other @ ('"' | '\\') => value.push(other),
                _ => return Err("after a backslash comes one of \" \\ n t r"),
            },
            other => value.push(other),
        }
    }
    let after = chars.as_str().trim();
    if after.is_empty() || after.starts_with('#') {
        Ok(value)
    } else {
        Err("something follows the closing quote")
    }
}

/// `$(NAME)` is that environment variable, `$$` a dollar sign.
fn interpolated(text: &str, environment: &BTreeMap<String, String>) -> Result<String, &'static str> {
    let mut value = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        value.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            value.push('$');
            rest = after;
        } else if let Some(after) = after.strip_prefix('(') {
            let (name, after) = after.split_once(')').ok_or("the ) of $(NAME) is missing")?;
            value.push_str(environment.get(name).ok_or("$(NAME) names a variable that is not set")?);
            rest = after;
        } else {
            value.push('$');
            rest = after;
        }
    }
    value.push_str(rest);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Result<Option<(String, String)>, &'static str> {
        let environment = BTreeMap::from([("SECRET".to_owned(), "s3".to_owned())]);
        Ok(pair(text, &environment)?.map(|(name, value)| (name.to_owned(), value)))
    }

    fn value(text: &str) -> String {
        line(text).expect("a line").expect("a pair").1
    }

    #[test]
    fn values_are_quoted_or_bare() {
        assert_eq!(value(r#"jwt-secret = "{ \"kty\": \"oct\" }" # key"#), r#"{ "kty": "oct" }"#);
        assert_eq!(value("server-port=3000 # port"), "3000");
        assert_eq!(value("db-uri = \"a # b\""), "a # b");
        assert_eq!(value("app.settings.x = \"$(SECRET)-$$1-$2\""), "s3-$1-$2");
        assert_eq!(line("  # only a comment").expect("a line"), None);
    }

    #[test]
    fn what_is_malformed_is_named() {
        for text in ["db-uri", "db uri = x", "a = \"x", "a = \"x\" y", "a = \"\\q\"", "a = \"$(NONE)\""] {
            assert!(line(text).is_err(), "{text}");
        }
    }
}
