//! Rows into [`domain::drift`].
use std::collections::BTreeMap;

use domain::drift::{
    Entry, Exception, Facts, Layer, LayerKind, Offered, Read, Reading, Rule, Setting, Severity,
};
use serde_json::Value;
use store::drift::{Baseline, EntryRow, SettingFact, TenantFacts};
use uuid::Uuid;

/// The customer's own entries, as people call them.
const OWN_NAME: &str = "This customer only";

/// Layers that hold for a tenant: the provider's, the customer's tier, the customer's own.
pub fn layers(baselines: &[Baseline], tenant: &TenantFacts) -> Vec<Layer> {
    let holds = |it: &&Baseline| it.kind == "provider" || Some(it.id) == tenant.tier;
    let mut layers: Vec<Layer> = baselines.iter().filter(holds).map(of_baseline).collect();
    layers.push(layer(LayerKind::Customer, None, OWN_NAME, &tenant.entries));
    layers
}

fn of_baseline(baseline: &Baseline) -> Layer {
    let kind = if baseline.kind == "provider" { LayerKind::Provider } else { LayerKind::Tier };
    layer(kind, Some(baseline.id), &baseline.name, &baseline.entries)
}

fn layer(kind: LayerKind, id: Option<Uuid>, name: &str, entries: &[EntryRow]) -> Layer {
    Layer { kind, id, name: name.to_owned(), entries: entries.iter().filter_map(entry).collect() }
}

/// The database refuses rules that are none; one of a newer version demands nothing here.
fn entry(row: &EntryRow) -> Option<Entry> {
    let rule = match &row.rule {
        None | Some(Value::Null) => None,
        Some(rule) => Some(rule_of(rule)?),
    };
    let severity = severity_of(&row.severity)?;
    Some(Entry { setting: row.setting.clone(), rule, severity, why: row.why.clone() })
}

pub fn rule_of(rule: &Value) -> Option<Rule> {
    let read = serde_json::from_value(rule.clone());
    if let Err(error) = &read {
        tracing::error!(%error, "a rule of a baseline could not be read");
    }
    read.ok()
}

pub fn severity_of(word: &str) -> Option<Severity> {
    serde_json::from_value(Value::String(word.to_owned())).ok()
}

pub fn of_tenant(tenant: &TenantFacts) -> Facts {
    let said = || tenant.part_reason.clone();
    let reading = match (tenant.is_excluded, tenant.part_observed_at) {
        (true, _) => Reading::Excluded,
        (false, Some(_)) if tenant.part_state.as_deref() == Some("partial") => {
            Reading::Partial { reason: said().unwrap_or_else(|| "a part of it is missing".to_owned()) }
        }
        (false, Some(_)) => Reading::Read,
        (false, None) => {
            Reading::Never { reason: said().unwrap_or_else(|| "it was not read yet".to_owned()) }
        }
    };
    let setting = |(name, fact): (&String, &SettingFact)| {
        let offered = if fact.no_license { Offered::NoLicense } else { Offered::Yes };
        let read = if fact.is_complete { Read::Whole } else { Read::Partly };
        let setting = Setting { value: fact.value.clone(), observed_at: fact.observed_at, offered, read };
        (name.clone(), setting)
    };
    Facts {
        reading,
        settings: tenant.settings.iter().map(setting).collect::<BTreeMap<_, _>>(),
        stale_before: tenant.stale_before,
        exceptions: tenant
            .exceptions
            .iter()
            .map(|row| Exception {
                setting: row.setting.clone(),
                value: row.value.clone(),
                reason: row.reason.clone(),
                until: row.until,
            })
            .collect(),
        denied: tenant.denied.iter().cloned().collect(),
    }
}
