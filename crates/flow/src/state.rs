//! The states, as the database spells them.
use serde::{Deserialize, Serialize};

macro_rules! states {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::FlowError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    other => Err(crate::FlowError::Corrupt(format!("unknown state {other:?}"))),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }
    };
}

states! {
    /// How far a run is, and how it ended. Nothing is called completed: `Verified` means that the effect was read back,
    /// `Ended` that nothing outside was to change.
    RunState {
        Queued = "queued",
        Running = "running",
        Waiting = "waiting",
        Ended = "ended",
        Verified = "verified",
        Unverified = "unverified",
        Failed = "failed",
        Rejected = "rejected",
        Cancelled = "cancelled",
        TimedOut = "timed_out",
    }
}

states! {
    StepState {
        Pending = "pending",
        Ready = "ready",
        Running = "running",
        Waiting = "waiting",
        Ended = "ended",
        Skipped = "skipped",
        Failed = "failed",
        Rejected = "rejected",
        Cancelled = "cancelled",
        TimedOut = "timed_out",
    }
}

states! {
    ChangeState {
        Planned = "planned",
        Waiting = "waiting",
        Applied = "applied",
        Verified = "verified",
        Unverified = "unverified",
        Failed = "failed",
        Reverted = "reverted",
        Rejected = "rejected",
        Cancelled = "cancelled",
        /// The plan found nothing to change.
        Unneeded = "unneeded",
    }
}

impl RunState {
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Running | Self::Waiting)
    }
}

impl StepState {
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Pending | Self::Ready | Self::Running | Self::Waiting)
    }
}
