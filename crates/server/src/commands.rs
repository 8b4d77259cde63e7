//! One file per command.
use std::io::{BufRead as _, Read as _, Write as _};

use kernel::secret::SecretString;

use crate::failure::Failure;

pub mod audit;
pub mod demo;
pub mod doctor;
pub mod evidence;
pub mod generate;
pub mod integration;
pub mod migrate;
pub mod rest;
pub mod sandbox;
pub mod serve;
pub mod user;

/// Prints a line for people. Commands answer on standard output; the log is on standard error.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => { $crate::commands::print(format_args!($($text)*)) };
}

/// A reader that went away (`obera doctor | head`) is no fault.
pub fn print(line: std::fmt::Arguments<'_>) {
    let _reader_gone = writeln!(std::io::stdout(), "{line}");
}

const SECRET_BYTES_MAX: u64 = 1_024;

/// One line of standard input: a secret is never an argument, where every process could read it.
fn read_secret() -> Result<SecretString, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(SECRET_BYTES_MAX).read_line(&mut text);
    read.map_err(|error| Failure::start("standard input", &error))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned().into())
}
