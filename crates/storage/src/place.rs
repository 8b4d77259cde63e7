//! Whose file it is: a customer's, told by the first folder of its name, or the provider's own. One code, two tables.
use kernel::id::CustomerId;
use pg::ActorTx;
use uuid::Uuid;

use crate::{bucket::Kind, error::StorageError, name::ObjectName};

/// Where a file belongs. Taken from the name, believed by nobody: the policies decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    Customer(CustomerId),
    Provider,
}

impl Place {
    pub(crate) fn of(kind: Kind, name: &ObjectName) -> Result<Self, StorageError> {
        match kind {
            Kind::Provider => Ok(Self::Provider),
            Kind::Customer => {
                let customer = name.as_str().split_once('/').and_then(|(first, _)| customer_of(first));
                customer.map(Self::Customer).ok_or_else(|| {
                    StorageError::invalid_key(
                        "in this bucket a name begins with the customer's id, as <customer id>/<file>",
                    )
                })
            }
        }
    }

    pub(crate) fn customer(self) -> Option<Uuid> {
        match self {
            Self::Customer(customer) => Some(customer.0),
            Self::Provider => None,
        }
    }

    /// The folder of the object store for this place's bytes.
    pub(crate) fn folder(self) -> String {
        match self {
            Self::Customer(customer) => customer.to_string(),
            Self::Provider => "provider".to_owned(),
        }
    }

    /// Fills a statement for this place's tables. In it `$1` is [`Self::customer`], and stand
    /// `{objects}` and `{uploads}` for the tables, `{of}` for the condition on the customer (`o` is the table), `{key}` for
    /// the customer's column and `{value}` for its value in lists that go on, both empty for the provider, `{given}` for true.
    pub(crate) fn sql(self, template: &str) -> String {
        let (objects, uploads, of, key, value, given) = match self {
            Self::Customer(_) => (
                "storage.objects",
                "storage.uploads",
                "o.customer_id = $1",
                "customer_id, ",
                "$1::uuid, ",
                "$1::uuid is not null",
            ),
            Self::Provider => {
                let none = "$1::uuid is null";
                ("storage.provider_objects", "storage.provider_uploads", none, "", "", none)
            }
        };
        template
            .replace("{objects}", objects)
            .replace("{uploads}", uploads)
            .replace("{of}", of)
            .replace("{key}", key)
            .replace("{value}", value)
            .replace("{given}", given)
    }

    /// What a refused right is called: 403 where the caller knows the customer, else the same 404 as for nothing at all.
    pub(crate) async fn denied(self, tx: &ActorTx) -> StorageError {
        let known = match self {
            Self::Provider => tx.query_one("select current_setting('role') = 'staff'", &[]).await,
            Self::Customer(customer) => {
                tx.query_one("select exists (select from public.customers c where c.id = $1)", &[&customer.0])
                    .await
            }
        };
        match known {
            Ok(row) if row.get(0) => {
                StorageError::forbidden("You have no permission for this in this bucket.")
            }
            Ok(_) => StorageError::object_not_found(),
            Err(error) => error.into(),
        }
    }
}

/// Only the canonical form: another spelling of the same id would be another folder.
pub(crate) fn customer_of(segment: &str) -> Option<CustomerId> {
    let id = segment.parse::<Uuid>().ok()?;
    (id.to_string() == segment).then_some(CustomerId(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_folder_is_the_customer() {
        let id = "0190b6d0-0000-7000-8000-000000000001";
        let name = |text: &str| ObjectName::parse(text).expect("a name");
        let place = Place::of(Kind::Customer, &name(&format!("{id}/a.txt"))).expect("a place");
        assert_eq!(place.folder(), id);
        for other in [id.to_uppercase(), id.replace('-', ""), format!("{{{id}}}"), "acme".into()] {
            assert!(Place::of(Kind::Customer, &name(&format!("{other}/a.txt"))).is_err(), "{other}");
        }
        assert!(Place::of(Kind::Customer, &name(id)).is_err(), "a customer is not a file");
        assert_eq!(Place::of(Kind::Provider, &name("a.txt")).expect("a place"), Place::Provider);
    }
}
