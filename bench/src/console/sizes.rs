//! What the built console loads, by the manifest of its build.
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::Path,
};

use flate2::{Compression, write::GzEncoder};
use serde::Deserialize;

use crate::Result;

/// The pages that people see first.
const FIRST_PAGES: [&str; 2] = ["src/pages/sign-in/SignIn.tsx", "src/pages/overview/Overview.tsx"];
/// Split off, but every visit loads it.
const ALWAYS_LOADED: &str = "src/app/Notifications.tsx";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Chunk {
    file: String,
    imports: Vec<String>,
    is_entry: bool,
    is_dynamic_entry: bool,
}

type Manifest = BTreeMap<String, Chunk>;

#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    /// gzip, level 9.
    pub bytes: usize,
}

#[derive(Debug)]
pub struct Sizes {
    pub first_loads: Vec<Part>,
    /// What a part loads beyond the entry, largest first.
    pub later: Vec<Part>,
}

pub fn measure(dist: &Path) -> Result<Sizes> {
    let path = dist.join(".vite/manifest.json");
    let text = fs::read_to_string(&path).map_err(|error| {
        format!("{}: {error}. Build the console first: (cd web && npm ci && npm run build)", path.display())
    })?;
    let manifest: Manifest = serde_json::from_str(&text)?;
    let mut sizes = BTreeMap::new();
    for chunk in manifest.values().filter(|chunk| is_script(&chunk.file)) {
        sizes.insert(chunk.file.clone(), gzip_bytes(&fs::read(dist.join(&chunk.file))?)?);
    }
    of(&manifest, &sizes)
}

fn of(manifest: &Manifest, sizes: &BTreeMap<String, usize>) -> Result<Sizes> {
    let entry = manifest.iter().find(|(_, chunk)| chunk.is_entry).ok_or("the manifest has no entry")?;
    let entry = scripts(manifest, &[entry.0.as_str()]);
    let total = |files: &BTreeSet<&str>| files.iter().filter_map(|file| sizes.get(*file)).sum();
    let first = |page: &&str| {
        let files = scripts(manifest, &[page, ALWAYS_LOADED]);
        Part { name: short(page), bytes: total(&files.union(&entry).copied().collect()) }
    };
    let later = |(key, _): (&String, &Chunk)| {
        let files = scripts(manifest, &[key]);
        Part { name: short(key), bytes: total(&files.difference(&entry).copied().collect()) }
    };
    let mut later: Vec<Part> =
        manifest.iter().filter(|(_, chunk)| chunk.is_dynamic_entry).map(later).collect();
    later.sort_by_key(|part| std::cmp::Reverse(part.bytes));
    Ok(Sizes {
        first_loads: FIRST_PAGES.iter().filter(|page| manifest.contains_key(**page)).map(first).collect(),
        later,
    })
}

/// Scripts that load with these chunks: theirs and those they import.
fn scripts<'m>(manifest: &'m Manifest, keys: &[&str]) -> BTreeSet<&'m str> {
    let mut open: Vec<&str> = keys.to_vec();
    let mut seen = BTreeSet::new();
    let mut files = BTreeSet::new();
    while let Some(key) = open.pop() {
        let Some((key, chunk)) = manifest.get_key_value(key) else { continue };
        if seen.insert(key.as_str()) {
            open.extend(chunk.imports.iter().map(String::as_str));
            if is_script(&chunk.file) {
                files.insert(chunk.file.as_str());
            }
        }
    }
    files
}

fn is_script(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "js")
}

/// The file's name; of an `index` file the folder's.
fn short(key: &str) -> String {
    let path = Path::new(key);
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or(key);
    let folder = path.parent().and_then(|folder| folder.file_name()?.to_str());
    folder.filter(|_| stem == "index").unwrap_or(stem).to_owned()
}

fn gzip_bytes(content: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_load_counts_shared_scripts_once_and_later_parts_only_what_they_add() {
        let manifest = serde_json::json!({
            "index.html": { "file": "a/entry.js", "isEntry": true, "imports": ["_react.js"] },
            "_react.js": { "file": "a/react.js", "css": ["a/x.css"] },
            "_table.js": { "file": "a/table.js", "imports": ["_react.js", "_table.js"] },
            "src/pages/sign-in/SignIn.tsx": { "file": "a/sign.js", "isDynamicEntry": true, "imports": ["_react.js"] },
            "src/app/Notifications.tsx": { "file": "a/toasts.js", "isDynamicEntry": true },
            "src/pages/list/index.tsx": { "file": "a/list.js", "isDynamicEntry": true, "imports": ["_table.js", "_react.js"] },
        });
        let manifest: Manifest = serde_json::from_value(manifest).expect("a manifest");
        let sizes = [
            ("a/entry.js", 1),
            ("a/react.js", 10),
            ("a/table.js", 100),
            ("a/sign.js", 1_000),
            ("a/toasts.js", 10_000),
            ("a/list.js", 100_000),
        ];
        let sizes = sizes.map(|(file, bytes)| (file.to_owned(), bytes)).into();
        let sizes = of(&manifest, &sizes).expect("sizes");
        assert_eq!(sizes.first_loads, [Part { name: "SignIn".into(), bytes: 11_011 }]);
        let later: Vec<(&str, usize)> =
            sizes.later.iter().map(|part| (part.name.as_str(), part.bytes)).collect();
        assert_eq!(later, [("list", 100_100), ("Notifications", 10_000), ("SignIn", 1_000)]);
    }
}
