use kernel::{ApiError, ErrorCode, id::CredentialId};

/// Why a secret could not be made or opened. Never holds the secret.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("the master key is not usable: {0}")]
    MasterKey(String),
    #[error(
        "the database was sealed with another master key ({sealed_with}); this one is {configured}. \
         Start with the key that belongs to this database"
    )]
    OtherMasterKey { sealed_with: String, configured: String },
    #[error("{record} does not open: it was changed, or moved from another row")]
    Damaged { record: String },
    #[error("{record} has format {version}, which this release does not know")]
    Format { record: String, version: u8 },
    #[error("there is no credential {0}")]
    NotFound(CredentialId),
    #[error("a secret must have 1 to {max} bytes", max = crate::SECRET_BYTES_MAX)]
    Size,
    #[error("the system gave no random bytes")]
    Random,
    #[error("the database refused")]
    Database(#[from] pg::PgError),
}

impl From<VaultError> for ApiError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Database(cause) => cause.into(),
            VaultError::NotFound(_) => {
                Self::new(ErrorCode::VendorNotConfigured, "The integration has no usable credentials.")
            }
            other => {
                tracing::error!(error = &other as &dyn std::error::Error, "a secret could not be used");
                Self::new(ErrorCode::Internal, "Something went wrong on our side; nothing was changed.")
            }
        }
    }
}
