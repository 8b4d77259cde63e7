//! Typed ids. Each is a UUIDv7: ordered by time, made by the application, never a sequence that leaks volume.
use jiff::Timestamp;
use uuid::Uuid;

/// A new UUIDv7 for the given instant (milliseconds since 1970, then random bits).
pub fn uuid_v7(at: Timestamp) -> Uuid {
    let second = u64::try_from(at.as_second()).unwrap_or(0);
    let nanos = u32::try_from(at.subsec_nanosecond()).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, second, nanos))
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            pub fn new(at: Timestamp) -> Self { Self(uuid_v7(at)) }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { self.0.fmt(f) }
        }
        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> { text.parse().map(Self) }
        }
        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self { Self(id) }
        }
    )+};
}

ids! {
    /// An MSP's client.
    CustomerId,
    /// A person who signs in: staff or portal.
    UserId,
    /// A signed-in session.
    SessionId,
    SiteId,
    DeviceId,
    ConditionId,
    AlertId,
    IncidentId,
    RuleId,
    TicketId,
    IntegrationId,
    CredentialId,
    SyncRunId,
    WorkflowId,
    RunId,
    StepId,
    ApprovalId,
    EvidenceId,
    DifferenceId,
    ReconciliationId,
    /// One HTTP request; also written into the audit log.
    RequestId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let early = TicketId::new("2026-01-01T00:00:00Z".parse().expect("a timestamp"));
        let late = TicketId::new("2026-01-01T00:00:01Z".parse().expect("a timestamp"));
        assert!(early < late);
        assert_eq!(early.0.get_version_num(), 7);
    }
}
