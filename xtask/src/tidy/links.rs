//! Every relative link of every Markdown file leads somewhere, to its heading.
use std::collections::{BTreeMap, BTreeSet};

use crate::files::SourceFile;

pub fn check(files: &[SourceFile]) -> Vec<String> {
    let mut known: BTreeSet<String> = BTreeSet::new();
    for file in files {
        known.insert(file.path.clone());
        let mut folder = file.path.as_str();
        while let Some((parent, _)) = folder.rsplit_once('/') {
            known.insert(parent.to_owned());
            folder = parent;
        }
    }
    let pages = || files.iter().filter(|file| file.path.ends_with(".md"));
    let anchors: BTreeMap<&str, BTreeSet<String>> =
        pages().map(|page| (page.path.as_str(), anchors(&page.text))).collect();
    let mut faults = Vec::new();
    for page in pages() {
        for (line, target) in links(&page.text) {
            if let Some(fault) = fault_of(&page.path, &target, &known, &anchors) {
                faults.push(format!("{}:{line}: the link `{target}` {fault}", page.path));
            }
        }
    }
    faults
}

fn fault_of(
    page: &str,
    target: &str,
    known: &BTreeSet<String>,
    anchors: &BTreeMap<&str, BTreeSet<String>>,
) -> Option<&'static str> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let whole = if path.is_empty() { Some(page.to_owned()) } else { resolve(page, path) };
    let Some(whole) = whole else { return Some("leaves the repository") };
    if !whole.is_empty() && !known.contains(&whole) {
        return Some("leads nowhere");
    }
    let headings = anchors.get(whole.as_str())?;
    (!anchor.is_empty() && !headings.contains(anchor)).then_some("names a heading that is not there")
}

/// `path` as seen from the folder of `page`; `None` above the top.
fn resolve(page: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Line number and target of every `[text](target)` and `src="target"` outside code.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut is_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        let plain: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        for (opening, closing) in [("](", ')'), ("src=\"", '"'), ("href=\"", '"')] {
            for (at, _) in plain.match_indices(opening) {
                let rest = &plain[at + opening.len()..];
                if let Some(end) = rest.find(closing) {
                    let target = rest[..end].split_whitespace().next().unwrap_or("");
                    found.push((index + 1, target.to_owned()));
                }
            }
        }
    }
    found
}

/// Anchors of a page's headings, the way GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let words = line.trim_start_matches('#').trim().to_lowercase();
            let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> usize {
        let file = |path: &str, text: &str| SourceFile { path: path.to_owned(), text: text.to_owned() };
        check(&[file("docs/a.md", text), file("docs/b/c.md", "# The Door, open\n"), file("README.md", "")])
            .len()
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        for text in [
            "[x](b/c.md)",
            "[x](../README.md)",
            "[x](b/c.md#the-door-open)",
            "[x](https://example.org)",
            "[x](b)",
            "`[x](no.md)`",
            "```\n[x](no.md)\n```",
        ] {
            assert_eq!(faults(text), 0, "{text}");
        }
    }

    #[test]
    fn broken_links_are_seen() {
        for text in [
            "[x](no.md)",
            "[x](b/c.md#door)",
            "[x](../../out.md)",
            "![x](images/no.png)",
            "<img src=\"no.png\">",
        ] {
            assert_eq!(faults(text), 1, "{text}");
        }
    }
}
