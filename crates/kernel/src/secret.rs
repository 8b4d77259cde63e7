//! Values that must not be printed. `Debug` shows nothing; reading the value is a visible call: `expose_secret`.
pub use secrecy::{ExposeSecret, SecretBox, SecretSlice, SecretString};
