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
    /// `SCHED_BATCH` in field 41 of proc(5), counted from behind the name in parentheses.
    #[tokio::test]
    async fn a_thread_that_is_not_the_first_takes_turns() {
        super::take_turns().await;
        let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("this thread");
        let fields = stat.rsplit_once(") ").expect("its name").1;
        assert_eq!(fields.split(' ').nth(38), Some("3"), "{stat}");
    }
}
