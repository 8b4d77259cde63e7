//! Lines that bill month by month (`ServiceProduct`): read, change the quantity, disconnect.
use connector_api::{Call, Fact, VendorError, Walk};
use jiff::Timestamp;
use jiff::civil::Date;
use kernel::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::client::{List, RevIo};
use crate::errors::NotFoundMeans;
use crate::fields::Fields;
use crate::types::{LineStatus, Raw, ServiceProduct};

/// Singular, unlike the other lists.
pub(crate) const LIST: List = List { path: "/v1/ServiceProduct", id_member: "service_product_id" };

/// Whether the vendor books the difference for the rest of the month at once. It changes money: a person decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proration {
    Generate,
    Skip,
}

/// A write that the vendor took. Read the line again to know what it came to.
#[derive(Clone, Debug)]
pub struct LineWrite {
    /// The vendor's id of the answer, where it names one.
    pub request_id: Option<String>,
    pub answered_at: Timestamp,
    /// The line as it was read just before.
    pub before: ServiceProduct,
}

/// The members that a replacement of a line carries: all that the vendor lets be written, as they were, but for the
/// quantity. The status is left out: it cannot change together with the quantity.
#[derive(Serialize)]
struct Replacement<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<&'a RawValue>,
    product_id: i64,
    service_id: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    package_id: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<&'a RawValue>,
    quantity: Raw,
    effective_date: String,
    generate_proration: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    activated_date: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_included: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_on_bill: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    itemized: Option<&'a RawValue>,
}

/// A line that does not exist yet.
#[derive(Clone, Debug)]
pub struct NewLine {
    pub customer_id: i64,
    /// Of the customer: see [`RevIo::customer_services`].
    pub service_id: i64,
    pub product_id: i64,
    pub quantity: Decimal,
    /// `None` takes the product's.
    pub rate: Option<Decimal>,
    pub effective_on: Date,
    pub proration: Proration,
}

#[derive(Serialize)]
struct Creation {
    customer_id: i64,
    service_id: i64,
    product_id: i64,
    quantity: Raw,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<Raw>,
    effective_date: String,
    activated_date: String,
    generate_proration: bool,
}

#[derive(Serialize)]
struct Disconnection {
    service_product_id: i64,
    effective_date: String,
    generate_proration: bool,
}

impl RevIo {
    /// Lines of all customers, in every status.
    pub async fn service_products(&self) -> Walk<ServiceProduct> {
        self.list(LIST, None, ServiceProduct::read, |it| it.id, |_| true).await
    }

    pub async fn customer_service_products(&self, customer_id: i64) -> Walk<ServiceProduct> {
        let filter = Some(("search.customer_id", customer_id));
        self.list(LIST, filter, ServiceProduct::read, |it| it.id, |it| it.customer_id == customer_id).await
    }

    pub async fn service_product(&self, id: i64) -> Result<Fact<ServiceProduct>, VendorError> {
        self.one(format!("{}/{id}", LIST.path), ServiceProduct::read).await
    }

    /// Sets the quantity from a day on. Reads the line first, because the vendor replaces it whole: what another
    /// person changes between the two calls is lost. Sent once, whatever happens: after an error that
    /// [`VendorError::may_have_been_applied`], read the line before anything is sent again.
    pub async fn change_line_quantity(
        &self,
        service_product_id: i64,
        quantity: Decimal,
        effective_on: Date,
        proration: Proration,
    ) -> Result<LineWrite, VendorError> {
        if quantity.is_negative() {
            return Err(refused("a quantity is not negative"));
        }
        let before = self.service_product(service_product_id).await?.value;
        if before.status == LineStatus::Disconnected {
            return Err(refused("the line is disconnected: its quantity bills nothing"));
        }
        let body = replacement(&before, quantity, effective_on, proration)?;
        let call = Call::put(format!("{}/{service_product_id}", LIST.path)).json_text(body);
        let answer = self.call(call, NotFoundMeans::Record).await?;
        Ok(LineWrite { request_id: answer.request_id, answered_at: answer.observed_at, before })
    }

    /// Says the id of the new line. Sent once: after an error that [`VendorError::may_have_been_applied`], look for the
    /// line among the customer's before anything is sent again, or it is billed twice.
    pub async fn create_line(&self, line: &NewLine) -> Result<Fact<i64>, VendorError> {
        if line.quantity.is_negative() || line.rate.is_some_and(Decimal::is_negative) {
            return Err(refused("a quantity or a rate is not negative"));
        }
        let body = to_text(&Creation {
            customer_id: line.customer_id,
            service_id: line.service_id,
            product_id: line.product_id,
            quantity: digits(line.quantity)?,
            rate: line.rate.map(digits).transpose()?,
            effective_date: midnight(line.effective_on),
            activated_date: midnight(line.effective_on),
            generate_proration: line.proration == Proration::Generate,
        })?;
        let call = Call::post(LIST.path).json_text(body);
        self.create(call, NotFoundMeans::Capability("lines")).await
    }

    /// Ends a line on a day. There is no way back through the API: a new line is another line.
    pub async fn disconnect_line(
        &self,
        service_product_id: i64,
        effective_on: Date,
        proration: Proration,
    ) -> Result<LineWrite, VendorError> {
        let before = self.service_product(service_product_id).await?.value;
        let body = to_text(&Disconnection {
            service_product_id,
            effective_date: midnight(effective_on),
            generate_proration: proration == Proration::Generate,
        })?;
        let call = Call::delete(LIST.path).json_text(body);
        let answer = self.call(call, NotFoundMeans::Record).await?;
        Ok(LineWrite { request_id: answer.request_id, answered_at: answer.observed_at, before })
    }
}

fn replacement(
    line: &ServiceProduct,
    quantity: Decimal,
    effective_on: Date,
    proration: Proration,
) -> Result<String, VendorError> {
    let at = Fields::of(&line.raw)?;
    let service_id =
        at.raw("service_id").ok_or_else(|| refused("a line without a service cannot be replaced"))?;
    let quantity = digits(quantity)?;
    to_text(&Replacement {
        customer_id: at.raw("customer_id"),
        product_id: line.product_id,
        service_id,
        package_id: at.raw("package_id"),
        description: at.raw("description"),
        rate: at.raw("rate"),
        cost: at.raw("cost"),
        quantity,
        effective_date: midnight(effective_on),
        generate_proration: proration == Proration::Generate,
        activated_date: at.raw("activated_date"),
        tax_included: at.raw("tax_included"),
        group_on_bill: at.raw("group_on_bill"),
        itemized: at.raw("itemized"),
    })
}

fn digits(number: Decimal) -> Result<Raw, VendorError> {
    RawValue::from_string(number.to_string()).map_err(|_| refused("not a number"))
}

/// The day in the vendor's form: a time without a zone.
fn midnight(day: Date) -> String {
    format!("{day}T00:00:00")
}

fn to_text(body: &impl Serialize) -> Result<String, VendorError> {
    serde_json::to_string(body).map_err(|error| VendorError::shape("$", error.to_string()))
}

/// Not sent.
fn refused(reason: &str) -> VendorError {
    VendorError::Misconfigured { reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn line(text: &str) -> ServiceProduct {
        ServiceProduct::read(RawValue::from_string(text.to_owned()).unwrap()).unwrap()
    }

    #[test]
    fn a_replacement_keeps_every_digit_and_leaves_the_status_out() {
        let line = line(
            r#"{"service_product_id":9,"customer_id":"4","product_id":2,"service_id":3,"rate":123456789012.123456,
                "cost":0.10,"quantity":4,"status":"ACTIVE","description":"Managed \"workstation\"","package_id":null}"#,
        );
        let day = "2026-03-01".parse().unwrap();
        let text = replacement(&line, "7".parse().unwrap(), day, Proration::Skip).unwrap();
        assert!(text.contains(r#""rate":123456789012.123456,"cost":0.10,"quantity":7,"#), "{text}");
        let body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&body["customer_id"], &body["generate_proration"]),
            (&Value::from("4"), &Value::from(false))
        );
        assert_eq!(body["effective_date"], "2026-03-01T00:00:00");
        assert!(body.get("status").is_none() && body.get("package_id").is_none());
    }

    #[test]
    fn a_line_without_a_service_is_not_sent() {
        let line = line(r#"{"service_product_id":9,"customer_id":4,"product_id":2}"#);
        let made = replacement(&line, Decimal::ONE, "2026-03-01".parse().unwrap(), Proration::Generate);
        assert!(made.is_err_and(|error| !error.may_have_been_applied()));
    }
}
