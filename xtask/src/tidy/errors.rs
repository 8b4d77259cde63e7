//! Every public error code has a page `docs/errors/<code>.md`, and every page a code.
use kernel::ErrorCode;

use crate::files::SourceFile;

const FOLDER: &str = "docs/errors/";

/// A code with the title of its page.
#[derive(Clone, Debug)]
pub struct CodePage {
    pub code: String,
    /// HTTP status; `None` where it depends on the case.
    pub status: Option<u16>,
    pub title: String,
}

/// Our codes, then those of the data API's dialect.
fn codes() -> Vec<(String, Option<u16>)> {
    let ours = ErrorCode::ALL.iter().map(|code| (code.as_str().to_owned(), Some(code.status())));
    ours.chain(rest::CODES.iter().map(|code| ((*code).to_owned(), None))).collect()
}

/// Every code with its page's title; pages that are missing have an empty one.
pub fn code_pages(files: &[SourceFile]) -> Vec<CodePage> {
    let title = |code: &str| {
        let page = files.iter().find(|file| file.path == format!("{FOLDER}{code}.md"));
        let heading = page.and_then(|page| page.text.lines().next()).unwrap_or("");
        heading.strip_prefix(&format!("# {code}: ")).unwrap_or("").to_owned()
    };
    codes().into_iter().map(|(code, status)| CodePage { title: title(&code), code, status }).collect()
}

pub fn check(files: &[SourceFile]) -> Vec<String> {
    let mut faults = Vec::new();
    for page in code_pages(files) {
        if page.title.is_empty() {
            faults.push(format!("{FOLDER}{0}.md: missing, or does not begin with `# {0}: …`", page.code));
        }
    }
    for file in files {
        let Some(name) = file.path.strip_prefix(FOLDER).and_then(|name| name.strip_suffix(".md")) else {
            continue;
        };
        if name != "index" && !codes().iter().any(|(code, _)| code == name) {
            faults.push(format!("{}: no such code", file.path));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_and_surplus_pages_are_seen() {
        let page = |code: &str| SourceFile {
            path: format!("{FOLDER}{code}.md"),
            text: format!("# {code}: Something\n"),
        };
        let complete: Vec<_> = codes().iter().map(|(code, _)| page(code)).collect();
        assert_eq!(check(&complete), Vec::<String>::new());
        assert_eq!(check(&complete[1..]).len(), 1);
        let surplus: Vec<_> = complete.iter().cloned().chain([page("OB9999")]).collect();
        assert_eq!(check(&surplus).len(), 1);
        let mut untitled = complete;
        untitled[0].text = "Nothing\n".to_owned();
        assert_eq!(check(&untitled).len(), 1);
    }
}
