//! The one writer of `audit.access` in a process.
use std::time::Duration;

use kernel::Clock;
use pg::Pg;

/// Reads that a killed process forgets are those of this time.
pub const FLUSH_EVERY: Duration = Duration::from_secs(30);

/// Writes what was counted. What cannot be written is kept for the next time, in the log and in `/metrics`.
pub async fn flush(pg: &Pg, clock: &Clock) {
    match pg.access().flush(pg, clock.now()).await {
        Ok(0) => {}
        Ok(lines) => tracing::debug!(lines, "reads were written down"),
        Err(error) => tracing::error!(
            error = &error as &dyn std::error::Error,
            "reads could not be written down; they are kept and tried again"
        ),
    }
}

/// Sets the gauges of `/metrics`.
pub fn measure(pg: &Pg) {
    let status = pg.access().status();
    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    let gauge = |name: &'static str, value: u64| metrics::gauge!(name).set(value as f64);
    gauge("access_log_held_lines", status.held_lines as u64);
    gauge("access_log_pending_lines", status.pending_lines);
    gauge("access_log_failing", u64::from(status.failing_since.is_some()));
    metrics::counter!("access_log_written_lines_total").absolute(status.written_lines);
    metrics::counter!("access_log_failed_writings_total").absolute(status.failed_writings);
    metrics::counter!("access_log_not_itemized_reads_total").absolute(status.not_itemized_reads);
}
