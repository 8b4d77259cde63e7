use std::{future::Future, pin::Pin, sync::Arc};

use kernel::{ApiError, ErrorCode, id::CustomerId};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Call, limiter::RateClass};

const FAULT_CHARS_MAX: usize = 300;

/// One function of the product.
pub trait Function: 'static {
    const NAME: &'static str;
    /// One sentence for the OpenAPI document.
    const SUMMARY: &'static str;
    /// What the caller needs, in words. The database decides; this says it.
    const PERMISSION: &'static str;
    /// Every permission that some input of this function needs.
    const PERMISSIONS: &'static [&'static str];
    const RATE: RateClass;
    /// After this the caller gets `OB5003`.
    const TIMEOUT_MS: u64 = 30_000;
    /// What stays when the time is over.
    const KEPT: &'static str;
    const BODY_BYTES_MAX: usize = 256 * 1024;
    type Input: DeserializeOwned + JsonSchema + garde::Validate<Context = ()> + Send;
    type Output: Serialize + JsonSchema;

    /// The customer this is about, as the caller says: for the customer's rate, never for rights.
    fn customer(_input: &Self::Input) -> Option<CustomerId> {
        None
    }

    /// An input that the document shows.
    fn example() -> Value;

    fn call(call: &Call, input: Self::Input) -> impl Future<Output = Result<Self::Output, ApiError>> + Send;
}

pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<Value, ApiError>> + Send>>;

/// An input that was understood.
pub(crate) struct Prepared {
    pub customer: Option<CustomerId>,
    pub run: Box<dyn FnOnce(Call) -> Answer + Send>,
}

type Prepare = dyn Fn(&[u8]) -> Result<Prepared, ApiError> + Send + Sync;

/// A function without its types, for the router and the document.
#[derive(Clone)]
pub struct Entry {
    pub name: &'static str,
    pub summary: &'static str,
    pub permission: &'static str,
    pub permissions: &'static [&'static str],
    pub rate: RateClass,
    pub timeout_ms: u64,
    pub kept: &'static str,
    pub body_bytes_max: usize,
    pub input: Value,
    pub output: Value,
    pub example: Value,
    prepare: Arc<Prepare>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Every function, in the order of its name.
pub fn entries() -> Vec<Entry> {
    vec![
        Entry::of::<crate::auto_remediation::AutoRemediation>(),
        Entry::of::<crate::cipp_sync::CippSync>(),
        Entry::of::<crate::drift::Drift>(),
        Entry::of::<crate::integration_sign_in::IntegrationSignIn>(),
        Entry::of::<crate::maintenance::Maintenance>(),
        Entry::of::<crate::graph_api::GraphApi>(),
        Entry::of::<crate::integration_connect::IntegrationConnect>(),
        Entry::of::<crate::identity::Identity>(),
        Entry::of::<crate::mfa::Mfa>(),
        Entry::of::<crate::microsoft_sync::MicrosoftSync>(),
        Entry::of::<crate::sharepoint_sync::SharePointSync>(),
        Entry::of::<crate::ninjaone_sync::NinjaOneSync>(),
        Entry::of::<crate::ninjaone_ticket::NinjaOneTicket>(),
        Entry::of::<crate::reconcile::Reconcile>(),
        Entry::of::<crate::revio_data::RevioData>(),
        Entry::of::<crate::workflow_executor::WorkflowExecutor>(),
    ]
}

impl Entry {
    pub fn of<F: Function>() -> Self {
        Self {
            name: F::NAME,
            summary: F::SUMMARY,
            permission: F::PERMISSION,
            permissions: F::PERMISSIONS,
            rate: F::RATE,
            timeout_ms: F::TIMEOUT_MS,
            kept: F::KEPT,
            body_bytes_max: F::BODY_BYTES_MAX,
            input: schema::<F::Input>(),
            output: schema::<F::Output>(),
            example: F::example(),
            prepare: Arc::new(prepare::<F>),
        }
    }

    /// The typed input, or an error that names the field.
    pub(crate) fn prepare(&self, body: &[u8]) -> Result<Prepared, ApiError> {
        (self.prepare)(body)
    }
}

fn prepare<F: Function>(body: &[u8]) -> Result<Prepared, ApiError> {
    let input = read::<F::Input>(body)?;
    let customer = F::customer(&input);
    let run = Box::new(move |call: Call| -> Answer {
        Box::pin(async move {
            let output = F::call(&call, input).await?;
            serde_json::to_value(output).map_err(|error| {
                tracing::error!(%error, function = F::NAME, "an answer could not be written as JSON");
                ApiError::new(
                    ErrorCode::Internal,
                    "The function did its work, but its answer could not be written.",
                )
            })
        })
    });
    Ok(Prepared { customer, run })
}

fn schema<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

fn read<T: DeserializeOwned + garde::Validate<Context = ()>>(body: &[u8]) -> Result<T, ApiError> {
    let text = if body.is_empty() { b"{}" } else { body };
    let input: T = serde_json::from_slice(text).map_err(|error| {
        let fault: String = error.to_string().chars().take(FAULT_CHARS_MAX).collect();
        ApiError::new(ErrorCode::BodyInvalid, "The body is not what this function takes.")
            .details(fault)
            .hint("See /openapi.json. Nothing was changed.")
    })?;
    input.validate().map_err(|report| {
        let faults: Vec<_> = report.iter().map(|(path, fault)| format!("{path}: {fault}")).collect();
        let fault: String = faults.join("; ").chars().take(FAULT_CHARS_MAX).collect();
        ApiError::new(ErrorCode::ValueRefused, "A value was refused.")
            .details(fault)
            .hint("Nothing was changed.")
    })?;
    Ok(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_taken() {
        for entry in entries() {
            let body = entry.example.to_string();
            assert!(entry.prepare(body.as_bytes()).is_ok(), "{}: {body}", entry.name);
        }
    }
}
