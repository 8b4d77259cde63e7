//! Severities of conditions and the ticket priority that each asks for.

/// Ticket priority (`p1` to `p4`) for a condition's severity on this class of device.
pub fn ticket_priority(severity: &str, device_class: &str) -> &'static str {
    match (severity, device_class) {
        ("critical", "server" | "network") => "p1",
        ("critical", _) | ("major", "server" | "network") => "p2",
        ("major" | "moderate", _) => "p3",
        _ => "p4",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_more_urgent_than_a_workstation() {
        assert_eq!(ticket_priority("critical", "server"), "p1");
        assert_eq!(ticket_priority("critical", "workstation"), "p2");
        assert_eq!(ticket_priority("moderate", "server"), "p3");
        assert_eq!(ticket_priority("info", "server"), "p4");
        assert_eq!(ticket_priority("something new", "workstation"), "p4");
    }
}
