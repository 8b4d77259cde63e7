use kernel::{
    Timestamp,
    id::{SessionId, UserId},
};
use pg::{ActorTx, PgError, Row};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{AUDIENCE, TokenRole};

macro_rules! person_columns {
    () => {
        "select u.id, u.email, u.display_name, u.kind, u.created_at, u.last_sign_in_at, u.disabled_at is not null,
           (select m.role from public.staff_members m where m.user_id = u.id), u.password_hash from auth.users u "
    };
}
const BY_ID: &str = concat!(person_columns!(), "where u.id = $1");
const BY_EMAIL: &str = concat!(person_columns!(), "where u.email = $1");
const BY_LIVE_SESSION: &str = concat!(
    person_columns!(),
    "join auth.sessions s on s.user_id = u.id where u.id = $1 and s.id = $2 and s.ended_at is null and s.expires_at > $3"
);

/// A person as `auth.users` has them.
#[derive(Debug)]
pub(crate) struct Person {
    pub id: UserId,
    pub email: String,
    pub display_name: String,
    pub kind: String,
    pub created_at: Timestamp,
    pub last_sign_in_at: Option<Timestamp>,
    pub is_disabled: bool,
    pub staff_role: Option<String>,
}

impl Person {
    pub(crate) async fn by_id(tx: &ActorTx, id: UserId) -> Result<Option<Self>, PgError> {
        Ok(tx.query_opt(BY_ID, &[&id.0]).await?.as_ref().map(Self::of))
    }

    /// With the hash of their password, which goes no further than its check.
    pub(crate) async fn by_email(
        tx: &ActorTx,
        email: &str,
    ) -> Result<Option<(Self, Option<String>)>, PgError> {
        Ok(tx.query_opt(BY_EMAIL, &[&email]).await?.map(|row| (Self::of(&row), row.get(8))))
    }

    /// `None` when the session has ended, or is not this person's.
    pub(crate) async fn by_live_session(
        tx: &ActorTx,
        id: UserId,
        session: SessionId,
        now: Timestamp,
    ) -> Result<Option<Self>, PgError> {
        Ok(tx.query_opt(BY_LIVE_SESSION, &[&id.0, &session.0, &now]).await?.as_ref().map(Self::of))
    }

    fn of(row: &Row) -> Self {
        Self {
            id: UserId(row.get(0)),
            email: row.get(1),
            display_name: row.get(2),
            kind: row.get(3),
            created_at: row.get(4),
            last_sign_in_at: row.get(5),
            is_disabled: row.get(6),
            staff_role: row.get(7),
        }
    }

    pub(crate) fn role(&self) -> TokenRole {
        if self.staff_role.is_some() { TokenRole::Staff } else { TokenRole::Authenticated }
    }

    pub(crate) fn app_metadata(&self) -> Value {
        let mut data = json!({ "provider": "email", "providers": ["email"], "kind": self.kind });
        if let Some(role) = &self.staff_role {
            data["staff_role"] = json!(role);
        }
        data
    }

    pub(crate) fn user_metadata(&self) -> Value {
        json!({ "display_name": self.display_name })
    }
}

/// A person in the shape of GoTrue's `User`.
#[derive(Clone, Debug, Serialize)]
pub struct UserBody {
    pub id: UserId,
    pub aud: &'static str,
    pub role: TokenRole,
    pub email: String,
    pub email_confirmed_at: Timestamp,
    pub phone: &'static str,
    pub confirmed_at: Timestamp,
    pub last_sign_in_at: Option<Timestamp>,
    pub app_metadata: Value,
    pub user_metadata: Value,
    pub identities: Vec<Value>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub is_anonymous: bool,
}

impl From<&Person> for UserBody {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id,
            aud: AUDIENCE,
            role: person.role(),
            email: person.email.clone(),
            // People are made by an administrator, who vouches for the address.
            email_confirmed_at: person.created_at,
            phone: "",
            confirmed_at: person.created_at,
            last_sign_in_at: person.last_sign_in_at,
            app_metadata: person.app_metadata(),
            user_metadata: person.user_metadata(),
            identities: Vec::new(),
            created_at: person.created_at,
            updated_at: person.last_sign_in_at.unwrap_or(person.created_at),
            is_anonymous: false,
        }
    }
}
