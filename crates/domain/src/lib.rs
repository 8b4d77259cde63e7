//! Types and pure rules, one module per domain. No I/O; time is an argument.
pub mod cipp_alert;
pub mod device_facts;
pub mod drift;
pub mod estate;
pub mod expression;
pub mod identity;
pub mod mfa;
pub mod money;
pub mod posture;
pub mod remediation;
pub mod severity;
pub mod volume;
