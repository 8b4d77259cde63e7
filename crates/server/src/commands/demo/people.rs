//! The demo's logins. They exist in a demo's data directory only; `serve` refuses to start on one.
use auth::people::{NewUser, UserKind, create_user};
use kernel::{
    id::CustomerId,
    secret::{ExposeSecret as _, SecretString},
};
use pg::{PgError, SystemReason};

use crate::{database::Database, failure::Failure, runtime::Product};

const PASSWORD_CHARS_MIN: usize = 12;
/// More portal users than this would make the first start slow; the rest can be added by hand.
const PORTAL_USERS_MAX: usize = 100;

pub struct Logins {
    pub password: String,
    pub portal: Vec<String>,
}

pub fn check_password(password: Option<&str>) -> Result<(), Failure> {
    match password {
        Some(text) if text.chars().count() < PASSWORD_CHARS_MIN => Err(Failure::text(format!(
            "OBERA_DEMO_PASSWORD must have {PASSWORD_CHARS_MIN} characters or more."
        ))),
        _ => Ok(()),
    }
}

/// The demo does not put its logins into somebody's real database.
pub async fn refuse_real_installation(product: &Product) -> Result<(), Failure> {
    let found = async {
        let tx = product.services.pg.system(SystemReason::Seed).await?;
        let sql = "select count(*) filter (where kind = 'staff' and email not like '%@msp.example') from auth.users";
        Ok::<i64, PgError>(tx.query_one(sql, &[]).await?.get(0))
    };
    if found.await.map_err(|error| Failure::start("the database", &error))? > 0 {
        return Err(Failure::text(
            "This data directory holds a real installation. Give the demo its own with --data-dir.",
        ));
    }
    Ok(())
}

/// Makes the accounts; quick when they exist with this password.
pub async fn prepare(
    product: &Product,
    database: &Database,
    password: Option<&str>,
    customers: &[(CustomerId, String)],
) -> Result<Logins, Failure> {
    let cluster =
        database.cluster.as_ref().ok_or_else(|| Failure::text("The demo runs on the embedded database."))?;
    let password = match password {
        Some(text) => text.to_owned(),
        None => {
            let random = cluster
                .secret("demo.password")
                .map_err(|error| Failure::start("the demo's password", &error))?;
            let text = random.expose_secret();
            format!("{}-{}-{}-{}", &text[..4], &text[4..8], &text[8..12], &text[12..16])
        }
    };
    let portal: Vec<_> = customers
        .iter()
        .take(PORTAL_USERS_MAX)
        .map(|(id, slug)| (*id, format!("portal@{slug}.example")))
        .collect();
    let mut wanted: Vec<(String, String, UserKind)> = [
        ("owner@msp.example", "Olivia Owner", "owner"),
        ("technician@msp.example", "Tom Technician", "technician"),
        ("auditor@msp.example", "Ada Auditor", "auditor"),
    ]
    .into_iter()
    .map(|(email, name, role)| (email.to_owned(), name.to_owned(), UserKind::Staff { role: role.into() }))
    .collect();
    wanted.extend(portal.iter().map(|(customer, email)| {
        let memberships = vec![(*customer, "portal_admin".to_owned())];
        (email.clone(), "Portal Contact".to_owned(), UserKind::Portal { memberships })
    }));
    let fingerprint = cluster.secrets_dir().join("demo.people");
    let state = format!("{} {}", wanted.len(), sha256(&password));
    let is_known = std::fs::read_to_string(&fingerprint).is_ok_and(|known| known == state);
    if !is_known {
        for (email, display_name, kind) in wanted {
            let new = NewUser {
                email: email.clone(),
                display_name,
                kind,
                password: SecretString::from(password.clone()),
            };
            create_user(&product.services.pg, &product.clock, new)
                .await
                .map_err(|error| Failure::start(&format!("the demo login {email}"), &error))?;
        }
        std::fs::write(&fingerprint, state)
            .map_err(|error| Failure::start("the list of demo logins", &error))?;
    }
    Ok(Logins { password, portal: portal.into_iter().map(|(_, email)| email).collect() })
}

fn sha256(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    hex::encode(Sha256::digest(text.as_bytes()))
}
