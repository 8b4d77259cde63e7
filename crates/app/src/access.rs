//! Permission checks before an intention is carried out. The database answers, with the helpers that its policies use.
use kernel::{ApiError, ErrorCode, id::CustomerId};
use pg::{Actor, Pg};
use store::access::{self, Standing};

/// The caller may do this for this customer. An invisible customer is "not found", never "forbidden".
pub async fn require(
    pg: &Pg,
    actor: &Actor,
    customer: CustomerId,
    permission: &'static str,
) -> Result<(), ApiError> {
    if actor.is_anonymous() {
        return Err(not_signed_in());
    }
    let tx = pg.act_as(actor).await?;
    let standing = access::standing(&tx, customer, permission).await?;
    tx.rollback().await?;
    match standing {
        Standing::Allowed => Ok(()),
        Standing::Forbidden => Err(not_permitted(permission)),
        Standing::Unseen => Err(not_found()),
    }
}

/// The caller may do this for the provider as a whole.
pub async fn require_for_provider(pg: &Pg, actor: &Actor, permission: &'static str) -> Result<(), ApiError> {
    if actor.is_anonymous() {
        return Err(not_signed_in());
    }
    if !actor.is_staff() {
        return Err(not_found());
    }
    let tx = pg.act_as(actor).await?;
    let may = access::may_for_provider(&tx, permission).await?;
    tx.rollback().await?;
    if may { Ok(()) } else { Err(not_permitted(permission)) }
}

pub fn not_found() -> ApiError {
    ApiError::new(ErrorCode::NotFound, "Nothing with this id that you may see.")
}

fn not_signed_in() -> ApiError {
    ApiError::new(ErrorCode::NotSignedIn, "Sign in first.")
}

fn not_permitted(permission: &str) -> ApiError {
    ApiError::new(ErrorCode::NotPermitted, "Your role does not allow this.")
        .details(format!("It needs the permission `{permission}`."))
        .hint("Ask an owner to give you a role that has it.")
}
