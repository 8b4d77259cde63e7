//! One file per command.
pub mod audit;
pub mod demo;
pub mod doctor;
pub mod evidence;
pub mod migrate;
pub mod sandbox;
pub mod serve;
pub mod user;

/// Prints for people. Commands answer on standard output; the log is on standard error.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => {{
        #[expect(clippy::print_stdout, reason = "the command's own output")]
        { println!($($text)*); }
    }};
}
