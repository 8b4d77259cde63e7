//! What an administrator does: people, passwords, sessions. Plain functions; not offered over HTTP by this crate.
use kernel::{
    Clock,
    id::{CustomerId, UserId, uuid_v7},
    secret::SecretString,
};
use pg::{ActorTx, Pg, PgError, SystemReason};
use uuid::Uuid;

use crate::{AuthError, PasswordFault, password, sessions, sign_in::email_of};

const INSERT: &str = "insert into auth.users (id, email, kind, display_name, created_at) values ($1, $2, $3, $4, $5)
    on conflict (email) do update set kind = excluded.kind, display_name = excluded.display_name returning id";
const FIND_HASH: &str = "select password_hash from auth.users where email = $1";
const SET_HASH: &str = "update auth.users set password_hash = $2 where id = $1";
const AUDIENCE_OF_ROLE: &str = "select audience from public.roles where role = $1";
const MAKE_STAFF: &str = "insert into public.staff_members (user_id, role, granted_at) values ($1, $2, $3)
    on conflict (user_id) do update set role = excluded.role";
const NO_STAFF: &str = "delete from public.staff_members where user_id = $1";
const MAKE_MEMBER: &str =
    "insert into public.memberships (customer_id, user_id, role, granted_at) values ($1, $2, $3, $4)
    on conflict (customer_id, user_id) do update set role = excluded.role";
const KEEP_MEMBERSHIPS: &str = "delete from public.memberships where user_id = $1 and customer_id <> all($2)";
const DISABLE: &str = "update auth.users set disabled_at = coalesce(disabled_at, $2) where id = $1";
const ENABLE: &str = "update auth.users set disabled_at = null where id = $1";

/// A person to make, or to bring to this state.
#[derive(Debug)]
pub struct NewUser {
    pub email: String,
    pub display_name: String,
    pub kind: UserKind,
    pub password: SecretString,
}

/// What a person may reach. Roles are those of `public.roles`, of the matching audience.
#[derive(Clone, Debug)]
pub enum UserKind {
    /// The provider's people with reach over all customers.
    Staff { role: String },
    /// The provider's people limited to some customers, with staff roles there.
    LimitedStaff { memberships: Vec<(CustomerId, String)> },
    /// A customer's people.
    Portal { memberships: Vec<(CustomerId, String)> },
}

/// Why a person could not be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    #[error("this is not an e-mail address")]
    Email,
    #[error(transparent)]
    Password(#[from] PasswordFault),
    #[error("there is no role {role} for {audience}")]
    Role { role: String, audience: &'static str },
    #[error("there is no such person")]
    NotFound,
    #[error("the password could not be hashed")]
    Hash(#[from] AuthError),
    #[error("the database refused")]
    Database(#[from] PgError),
}

/// Makes the person, or changes the one with this e-mail address to be as described: name, kind, role, memberships,
/// password. The same again changes nothing; another password ends the person's sessions.
pub async fn create_user(pg: &Pg, clock: &Clock, new: NewUser) -> Result<UserId, PeopleError> {
    let email = email_of(&new.email).ok_or(PeopleError::Email)?;
    password::judge(&new.password)?;
    let tx = pg.system(SystemReason::SignIn).await?;
    let old_hash: Option<String> = tx.query_opt(FIND_HASH, &[&email]).await?.and_then(|row| row.get(0));
    tx.rollback().await?;
    let keeps_password = match old_hash {
        Some(hash) => password::is_of(hash, new.password.clone(), None).await?,
        None => false,
    };
    let new_hash = if keeps_password { None } else { Some(password::hash(new.password).await?) };

    let now = clock.now();
    let tx = pg.system(SystemReason::SignIn).await?;
    let kind = match new.kind {
        UserKind::Portal { .. } => "portal",
        UserKind::Staff { .. } | UserKind::LimitedStaff { .. } => "staff",
    };
    let row = tx.query_one(INSERT, &[&uuid_v7(now), &email, &kind, &new.display_name, &now]).await?;
    let user = UserId(row.get(0));
    grant(&tx, clock, user, &new.kind).await?;
    if let Some(hash) = new_hash {
        tx.execute_one(SET_HASH, &[&user.0, &hash]).await?;
        sessions::end_all(&tx, user, "password changed", now).await?;
    }
    tx.commit().await?;
    Ok(user)
}

/// Sets a password and ends the person's sessions.
pub async fn set_password(
    pg: &Pg,
    clock: &Clock,
    user: UserId,
    new: SecretString,
) -> Result<(), PeopleError> {
    password::judge(&new)?;
    let hash = password::hash(new).await?;
    let tx = pg.system(SystemReason::SignIn).await?;
    if tx.execute(SET_HASH, &[&user.0, &hash]).await? == 0 {
        return Err(PeopleError::NotFound);
    }
    sessions::end_all(&tx, user, "password changed", clock.now()).await?;
    Ok(tx.commit().await?)
}

/// Ends all sessions of a person; what they do next is refused by the policies. Answers how many lived.
pub async fn end_sessions(pg: &Pg, clock: &Clock, user: UserId) -> Result<u64, PeopleError> {
    let tx = pg.system(SystemReason::SignIn).await?;
    let ended = sessions::end_all(&tx, user, "ended by an administrator", clock.now()).await?;
    tx.commit().await?;
    Ok(ended)
}

/// Keeps a person out from the next statement on, and ends their sessions.
pub async fn disable(pg: &Pg, clock: &Clock, user: UserId) -> Result<(), PeopleError> {
    let now = clock.now();
    let tx = pg.system(SystemReason::SignIn).await?;
    if tx.execute(DISABLE, &[&user.0, &now]).await? == 0 {
        return Err(PeopleError::NotFound);
    }
    sessions::end_all(&tx, user, "person disabled", now).await?;
    Ok(tx.commit().await?)
}

/// Lets a disabled person sign in again.
pub async fn enable(pg: &Pg, user: UserId) -> Result<(), PeopleError> {
    let tx = pg.system(SystemReason::SignIn).await?;
    if tx.execute(ENABLE, &[&user.0]).await? == 0 {
        return Err(PeopleError::NotFound);
    }
    Ok(tx.commit().await?)
}

async fn grant(tx: &ActorTx, clock: &Clock, user: UserId, kind: &UserKind) -> Result<(), PeopleError> {
    let (audience, memberships) = match kind {
        UserKind::Staff { .. } => ("staff", &Vec::new()),
        UserKind::LimitedStaff { memberships } => ("staff", memberships),
        UserKind::Portal { memberships } => ("portal", memberships),
    };
    if let UserKind::Staff { role } = kind {
        must_be_for(tx, role, audience).await?;
        tx.execute_one(MAKE_STAFF, &[&user.0, role, &clock.now()]).await?;
    } else {
        tx.execute(NO_STAFF, &[&user.0]).await?;
    }
    let customers: Vec<Uuid> = memberships.iter().map(|(customer, _)| customer.0).collect();
    tx.execute(KEEP_MEMBERSHIPS, &[&user.0, &customers]).await?;
    for (customer, role) in memberships {
        must_be_for(tx, role, audience).await?;
        tx.execute_one(MAKE_MEMBER, &[&customer.0, &user.0, role, &clock.now()]).await?;
    }
    Ok(())
}

async fn must_be_for(tx: &ActorTx, role: &str, audience: &'static str) -> Result<(), PeopleError> {
    let known = tx.query_opt(AUDIENCE_OF_ROLE, &[&role]).await?;
    if known.is_some_and(|row| row.get::<_, &str>(0) == audience) {
        return Ok(());
    }
    Err(PeopleError::Role { role: role.to_owned(), audience })
}
