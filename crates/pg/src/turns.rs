//! How our threads share the processors with PostgreSQL's processes.
use std::process::{self, Stdio};

use tokio::process::Command;

/// Threads and children of this process no longer interrupt whoever runs when an answer wakes them (`SCHED_BATCH`): they come
/// when it pauses or its slice is over, and then find several answers. Where the kernel or the system has no such
/// thing, everything stays as it is. See docs/adr/0034-no-interruptions.md.
pub async fn take_turns() {
    let mut command = Command::new("chrt");
    command.args(["--batch", "--all-tasks", "--pid", "0", &process::id().to_string()]);
    let ended = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    if !ended.is_ok_and(|status| status.success()) {
        tracing::debug!(
            "`chrt` of util-linux did not set the scheduling policy: requests are a little slower"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The policy is field 41 of proc(5), counted from behind the name in parentheses: 3 is `SCHED_BATCH`.
    #[tokio::test]
    async fn a_thread_that_is_not_the_first_takes_turns() {
        let is_offered = Command::new("chrt").args(["--batch", "0", "true"]).status().await;
        take_turns().await;
        let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("this thread");
        let policy = stat.rsplit_once(") ").expect("its name").1.split(' ').nth(38);
        let expected = if is_offered.is_ok_and(|status| status.success()) { "3" } else { "0" };
        assert_eq!(policy, Some(expected), "{stat}");
    }
}
