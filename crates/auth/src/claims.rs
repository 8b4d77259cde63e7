use kernel::id::{SessionId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The database role a person acts with. A token that names another role is not one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenRole {
    /// Provider-wide reach, within the person's permissions.
    Staff,
    /// The customers the person is a member of.
    Authenticated,
}

impl TokenRole {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Authenticated => "authenticated",
        }
    }
}

/// The claims of an access token (names as Supabase's clients expect them).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub sub: UserId,
    pub aud: String,
    /// Seconds since 1970.
    pub exp: i64,
    pub iat: i64,
    pub email: String,
    #[serde(default)]
    pub phone: String,
    pub role: TokenRole,
    /// Assurance: `aal1`, a password.
    pub aal: String,
    pub amr: Value,
    pub session_id: SessionId,
    #[serde(default)]
    pub is_anonymous: bool,
    pub app_metadata: Value,
    pub user_metadata: Value,
}
