//! What tenants have set, and the templates that say what they should.
use connector_api::{Completeness, Fact, PartialReason, VendorError, Walk};
use serde_json::Value;

use crate::client::{Ask, Cipp, fact, rows};
use crate::errors::not_ready;
use crate::fields::Fields;
use crate::rights;
use crate::types::{Alignment, Record, SETTING_PREFIX, SettingRead, StandardsTemplate};

const COMPARE: Ask = Ask::of("ListStandardsCompare", rights::SETTINGS);
const TEMPLATES: Ask = Ask::of("listStandardTemplates", rights::STANDARDS);
const STANDARDS: Ask = Ask::of("ListStandards", rights::STANDARDS);
const ALIGNMENT: Ask = Ask::of("ListTenantAlignment", rights::STANDARDS);
const BPA: Ask = Ask::of("ListBPA", rights::SETTINGS);

impl Cipp {
    /// Every setting of one tenant that some standard watches, by the tenant's default domain (its id finds nothing). A tenant in
    /// which no standard ran yet is [`VendorError::NotReady`], never an empty list.
    pub async fn standards_compare(&self, domain: &str) -> Walk<SettingRead> {
        let rows = match self.rows(COMPARE.about(domain), COMPARE).await {
            Ok(rows) => rows,
            Err(error) => return Walk::stopped(error),
        };
        match settings(&rows, domain) {
            Ok(walk) => walk,
            Err(error) => Walk::stopped(error),
        }
    }

    pub async fn standard_templates(&self) -> Walk<StandardsTemplate> {
        self.list(TEMPLATES.call(), TEMPLATES, StandardsTemplate::read, |it| it.id.clone()).await
    }

    /// Standards as they are configured over tenants, each row as it was sent.
    pub async fn standards(&self) -> Walk<Record> {
        self.records(STANDARDS.call(), STANDARDS, &["displayName"]).await
    }

    pub async fn tenant_alignment(&self) -> Walk<Alignment> {
        let key = |it: &Alignment| format!("{} {}", it.tenant, it.template_id);
        self.list(ALIGNMENT.call(), ALIGNMENT, Alignment::read, key).await
    }

    /// One report of the best practice analyser about one tenant.
    pub async fn bpa(&self, domain: &str, report: &str) -> Result<Fact<Vec<Value>>, VendorError> {
        let answer = self.call(BPA.about(domain).query("Report", report), BPA).await?;
        let body: Value = answer.json()?;
        match Fields(&body).get("Data") {
            Some(Value::Array(data)) => Ok(fact(&answer, data.clone())),
            Some(Value::Object(data)) => Ok(fact(&answer, vec![Value::Object(data.clone())])),
            Some(Value::Null) => Ok(fact(&answer, Vec::new())),
            _ => rows(&answer).and_then(|_| Err(VendorError::shape("$.Data", "no report came"))),
        }
    }
}

fn settings(rows: &Fact<Vec<Value>>, domain: &str) -> Result<Walk<SettingRead>, VendorError> {
    let of = |row: &Value| Fields(row).text("tenantFilter");
    // Nothing of another tenant is ever taken for this one's.
    if let Some(other) = rows.value.iter().filter_map(of).find(|it| !it.eq_ignore_ascii_case(domain)) {
        return Err(VendorError::shape("$[*].tenantFilter", format!("asked for {domain}, and {other} came")));
    }
    let row = rows.value.iter().find(|row| of(row).is_some()).and_then(Value::as_object);
    let row = row.ok_or_else(|| not_ready("no standard has run for this tenant"))?;
    let named = row.iter().filter(|(name, _)| name.starts_with(SETTING_PREFIX));
    let (mut items, mut unreadable) = (Vec::new(), 0);
    for (name, raw) in named {
        if !raw.is_object() {
            unreadable += 1;
        } else if let Some(setting) = SettingRead::read(name, raw) {
            items.push(setting);
        }
    }
    items.sort_by(|a, b| a.name.cmp(&b.name));
    let completeness = match unreadable {
        0 => Completeness::Complete,
        rows => Completeness::partial(PartialReason::Unreadable { rows }),
    };
    Ok(Walk {
        items,
        completeness,
        observed_at: Some(rows.observed_at),
        request_id: rows.request_id.clone(),
        pages: 1,
        repeats: 0,
    })
}
