//! The console: sizes against their budgets, and Lighthouse on a running demo.
mod lighthouse;
mod sizes;

use clap::Args;

use crate::{
    Common, Result, machine, progress,
    report::{Goal, Section},
    root,
};

const FIRST_LOAD_BYTES_MAX: usize = 200 * 1024;
const LATER_BYTES_MAX: usize = 120 * 1024;
const SCORE_GOAL: u32 = 90;

#[derive(Clone, Debug, Default, Args)]
pub struct ConsoleArgs {
    /// Address of a running demo (`obera demo`), for Lighthouse.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Login of the demo, for the pages behind the sign-in.
    #[arg(long, value_name = "EMAIL", default_value = "owner@msp.example")]
    email: String,
    /// Its password.
    #[arg(long, env = "OBERA_DEMO_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// The browser that Lighthouse drives.
    #[arg(long, value_name = "FILE", default_value = "/usr/bin/chromium")]
    chromium: String,
}

pub async fn run(_: &Common, args: &ConsoleArgs) -> Result<Section> {
    let mut section = Section::new("console", "Console", &["what", "measured", "budget"]);
    section.conditions = machine::conditions();
    let dist = root()?.join("web/dist");
    let sizes = sizes::measure(&dist)?;
    for page in &sizes.first_loads {
        add_size(
            &mut section,
            &format!("first load of {}, JavaScript, gzip", page.name),
            page.bytes,
            FIRST_LOAD_BYTES_MAX,
        );
    }
    let count = sizes.later.len();
    if let Some(largest) = sizes.later.iter().max_by_key(|page| page.bytes) {
        let what = format!("largest of {count} later parts ({}), JavaScript, gzip", largest.name);
        add_size(&mut section, &what, largest.bytes, LATER_BYTES_MAX);
    }
    let each: Vec<String> =
        sizes.later.iter().map(|page| format!("{} {}", page.name, kilobytes(page.bytes))).collect();
    section
        .notes
        .push(format!("Each later part, with everything it needs beyond the entry: {}.", each.join(", ")));
    match &args.url {
        None => section
            .notes
            .push("Lighthouse was not run: no address of a running demo was given (`--url`).".to_owned()),
        Some(url) => match lighthouse::run(url, args).await {
            Ok(pages) => pages.iter().for_each(|page| add_page(&mut section, page)),
            Err(error) => {
                progress!("Lighthouse was left out: {error}");
                section.notes.push(format!("Lighthouse was left out: {}", first_line(&error.to_string())));
            }
        },
    }
    Ok(section)
}

fn add_size(section: &mut Section, what: &str, bytes: usize, bytes_max: usize) {
    section.row([what.to_owned(), kilobytes(bytes), kilobytes(bytes_max)]);
    section.goals.push(Goal {
        what: what.to_owned(),
        is_met: bytes <= bytes_max,
        text: format!("<= {}", kilobytes(bytes_max)),
    });
}

fn add_page(section: &mut Section, page: &lighthouse::Page) {
    let what = format!("Lighthouse, {}, {}", page.name, page.form);
    let shown = format!(
        "performance {}, accessibility {}, best practices {}; largest paint {:.1} s, blocking {:.0} ms, shift {:.3}",
        page.performance,
        page.accessibility,
        page.best_practices,
        page.largest_paint_s,
        page.blocking_ms,
        page.shift
    );
    section.row([what.clone(), shown, format!("each > {SCORE_GOAL}")]);
    let worst = page.performance.min(page.accessibility).min(page.best_practices);
    section.goals.push(Goal { what, is_met: worst > SCORE_GOAL, text: format!("> {SCORE_GOAL}") });
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn kilobytes(bytes: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let kilobytes = bytes as f64 / 1024.0;
    format!("{kilobytes:.1} KB")
}
