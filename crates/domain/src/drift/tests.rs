//! Cases with known answers, and laws for any layers and values.
use jiff::Span;
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::json;

use super::*;

const SETTINGS: [&str; 4] = ["standards.A", "standards.B", "standards.C", "standards.D"];

fn at(hours: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Span::new().hours(hours)
}

fn rule(rule: Value) -> Rule {
    serde_json::from_value(rule).expect("a rule")
}

fn entry(setting: &str, rule: Option<Rule>) -> Entry {
    Entry { setting: setting.into(), rule, severity: Severity::High, why: String::new() }
}

fn layer(kind: LayerKind, entries: Vec<Entry>) -> Layer {
    Layer { kind, id: None, name: kind.as_str().into(), entries }
}

fn read(settings: &[(&str, Value)]) -> Facts {
    let setting = |(name, value): &(&str, Value)| {
        let read =
            Setting { value: value.clone(), observed_at: at(10), offered: Offered::Yes, read: Read::Whole };
        ((*name).to_owned(), read)
    };
    Facts {
        reading: Reading::Read,
        settings: settings.iter().map(setting).collect(),
        stale_before: at(0),
        exceptions: Vec::new(),
        denied: BTreeSet::new(),
    }
}

fn of_a(wanted: Value, facts: &Facts) -> Outcome {
    let demand = demands(&[layer(LayerKind::Provider, vec![entry("standards.A", Some(rule(wanted)))])]);
    judge(&demand[0], facts, at(10))
}

fn accepted(value: Option<Value>, until: Timestamp) -> Exception {
    Exception { setting: "standards.A".into(), value, reason: "a scanner".into(), until }
}

#[test]
fn rules_hold_or_do_not() {
    let cases = [
        (json!({"is": "equals", "value": true}), json!(true), true),
        (json!({"is": "equals", "value": true}), json!("True"), true),
        (json!({"is": "equals", "value": true}), json!(false), false),
        (json!({"is": "equals", "value": "Everyone"}), json!("everyone "), true),
        (json!({"is": "equals", "value": 8}), json!("8"), true),
        (json!({"is": "equals", "value": "8.0"}), json!(8), true),
        (json!({"is": "equals", "value": {"a": 1, "b": [1, 2]}}), json!({"b": ["2", 1], "a": "1"}), true),
        (json!({"is": "equals", "value": {"a": 1}}), json!(r#"{"a": 1}"#), true),
        (json!({"is": "equals", "value": {"a": 1}}), json!({"a": 1, "b": 2}), false),
        (json!({"is": "one_of", "values": ["off", "disabled"]}), json!("Disabled"), true),
        (json!({"is": "one_of", "values": ["off", "disabled"]}), json!("on"), false),
        (json!({"is": "at_least", "value": 90}), json!("180"), true),
        (json!({"is": "at_least", "value": "90"}), json!(9), false),
        (json!({"is": "at_least", "value": 90}), json!("many"), false),
        (json!({"is": "at_most", "value": 90}), json!("90.0"), true),
        (json!({"is": "contains", "value": "b"}), json!(["a", "B"]), true),
        (json!({"is": "contains", "value": ["a", "c"]}), json!(["a", "b"]), false),
        (json!({"is": "contains", "value": {"on": true}}), json!({"on": "true", "days": 3}), true),
        (json!({"is": "not_set"}), json!([]), true),
        (json!({"is": "not_set"}), json!(null), true),
        (json!({"is": "not_set"}), json!(false), false),
    ];
    for (wanted, actual, holds) in cases {
        assert_eq!(rule(wanted.clone()).holds(&actual), holds, "{wanted} of {actual}");
    }
}

#[test]
fn what_is_set_makes_the_rule_hold() {
    let cases = [
        (json!({"is": "equals", "value": true}), json!(false)),
        (json!({"is": "one_of", "values": ["a", "b"]}), json!("c")),
        (json!({"is": "at_least", "value": 90}), json!(1)),
        (json!({"is": "contains", "value": "x"}), json!(["a"])),
        (json!({"is": "contains", "value": {"on": true}}), json!({"on": false, "days": 3})),
    ];
    for (wanted, actual) in cases {
        let rule = rule(wanted);
        let target = rule.target(&actual).expect("a target");
        assert!(rule.holds(&target), "{rule:?} of {target}");
    }
    assert_eq!(Rule::NotSet.target(&json!(true)), None);
    assert_eq!(rule(json!({"is": "contains", "value": "x"})).target(&json!(5)), None);
}

#[test]
fn a_rule_that_cannot_be_is_named() {
    assert!(rule(json!({"is": "one_of", "values": []})).fault().is_some());
    assert!(rule(json!({"is": "at_most", "value": "many"})).fault().is_some());
    assert!(rule(json!({"is": "at_most", "value": "30"})).fault().is_none());
    assert!(serde_json::from_value::<Rule>(json!({"is": "equals", "value": 1, "or": 2})).is_err());
}

#[test]
fn a_more_specific_layer_replaces_or_switches_off() {
    let on = || Some(rule(json!({"is": "equals", "value": true})));
    let off = || Some(rule(json!({"is": "equals", "value": false})));
    let provider = layer(
        LayerKind::Provider,
        vec![entry("standards.A", on()), entry("standards.B", on()), entry("standards.C", on())],
    );
    let tier = layer(LayerKind::Tier, vec![entry("standards.A", off()), entry("standards.B", None)]);
    let customer = layer(LayerKind::Customer, vec![entry("standards.A", on())]);
    let found = demands(&[customer, provider, tier]);
    let words: Vec<_> = found.iter().map(|it| (it.setting.as_str(), it.layer, it.rule.words())).collect();
    assert_eq!(
        words,
        [
            ("standards.A", LayerKind::Customer, "yes".into()),
            ("standards.C", LayerKind::Provider, "yes".into())
        ]
    );
}

#[test]
fn an_exception_ends_and_holds_for_its_value_only() {
    let wanted = json!({"is": "equals", "value": true});
    let mut facts = read(&[("standards.A", json!(false))]);
    assert!(matches!(of_a(wanted.clone(), &facts), Outcome::Drift { .. }));
    facts.exceptions = vec![accepted(None, at(11))];
    assert!(matches!(of_a(wanted.clone(), &facts), Outcome::Accepted { .. }));
    facts.exceptions = vec![accepted(None, at(10))];
    assert!(matches!(of_a(wanted.clone(), &facts), Outcome::Drift { .. }), "it ended just now");
    facts.exceptions = vec![accepted(Some(json!("False")), at(11))];
    assert!(matches!(of_a(wanted.clone(), &facts), Outcome::Accepted { .. }));
    facts.exceptions = vec![accepted(Some(json!("partly")), at(11))];
    facts.denied.insert("standards.A".into());
    assert!(matches!(of_a(wanted, &facts), Outcome::Denied { .. }));
}

#[test]
fn what_is_not_known_is_unknown_with_its_reason() {
    let wanted = json!({"is": "equals", "value": true});
    let kind = |facts: &Facts| match of_a(wanted.clone(), facts) {
        Outcome::Unknown(why) => why.kind(),
        other => panic!("{other:?}"),
    };
    let known = read(&[("standards.A", json!(false))]);
    assert_eq!(kind(&Facts { reading: Reading::Excluded, ..known.clone() }), "excluded");
    let never = Reading::Never { reason: "CIPP did not answer.".into() };
    assert_eq!(kind(&Facts { reading: never, ..known.clone() }), "never_read");
    let partial = Reading::Partial { reason: "one page is missing".into() };
    assert_eq!(kind(&Facts { reading: partial.clone(), ..read(&[]) }), "partial");
    let mut partly = Facts { reading: partial, ..known.clone() };
    partly.settings.get_mut("standards.A").expect("it is there").read = Read::Partly;
    assert_eq!(kind(&partly), "partial");
    assert_eq!(kind(&Facts { stale_before: at(11), ..known.clone() }), "stale");
    assert_eq!(kind(&read(&[])), "not_reported");
    let mut unlicensed = known;
    unlicensed.settings.get_mut("standards.A").expect("it is there").offered = Offered::NoLicense;
    assert_eq!(kind(&unlicensed), "no_license");
}

#[test]
fn the_score_is_of_what_is_known() {
    let outcomes = [
        Outcome::InOrder,
        Outcome::Unknown(Unknown::NotReported),
        Outcome::Drift { actual: json!(1), observed_at: at(0) },
        Outcome::InOrder,
    ];
    let tally = Tally::of(&outcomes);
    assert_eq!((tally.demanded, tally.in_order, tally.drifted, tally.unknown), (4, 2, 1, 1));
    assert_eq!(tally.score_percent(), Some(66));
    assert_eq!(Tally::of(&outcomes[1..2]).score_percent(), None);
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(|is| json!(is)),
        (-1000i64..1000).prop_map(|it| json!(it)),
        (-1000i64..1000).prop_map(|it| json!(it.to_string())),
        "[a-zA-Z ]{0,6}".prop_map(|it| json!(it)),
        Just(Value::Null),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec(("[a-d]", inner), 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_rule() -> impl Strategy<Value = Rule> {
    prop_oneof![
        any_value().prop_map(|value| Rule::Equals { value }),
        vec(any_value(), 1..4).prop_map(|values| Rule::OneOf { values }),
        (-9i64..9).prop_map(|value| Rule::AtLeast { value: json!(value) }),
        (-9i64..9).prop_map(|value| Rule::AtMost { value: json!(value.to_string()) }),
        any_value().prop_map(|value| Rule::Contains { value }),
        Just(Rule::NotSet),
    ]
}

fn any_layers() -> impl Strategy<Value = Vec<Layer>> {
    let kinds = [LayerKind::Provider, LayerKind::Tier, LayerKind::Customer];
    let entries =
        || proptest::collection::btree_map(select(&SETTINGS[..]), proptest::option::of(any_rule()), 0..4);
    (entries(), entries(), entries()).prop_map(move |(a, b, c)| {
        let of = |(kind, entries): (LayerKind, std::collections::BTreeMap<&str, Option<Rule>>)| {
            layer(kind, entries.into_iter().map(|(name, rule)| entry(name, rule)).collect())
        };
        kinds.into_iter().zip([a, b, c]).map(of).collect()
    })
}

/// The same value in another form.
fn disguised(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let turned: serde_json::Map<_, _> =
                members.iter().rev().map(|(name, member)| (name.clone(), disguised(member))).collect();
            Value::String(Value::Object(turned).to_string())
        }
        Value::Array(items) => items.iter().rev().map(disguised).collect(),
        Value::Number(number) => Value::String(format!(" {number}")),
        Value::Bool(is) => json!(if *is { "True" } else { "FALSE" }),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn another_form_of_a_value_is_no_difference(value in any_value(), rule in any_rule()) {
        let other = disguised(&value);
        prop_assert!(same(&value, &other), "{} {}", value, other);
        prop_assert_eq!(rule.holds(&value), rule.holds(&other));
    }

    #[test]
    fn what_is_named_as_target_holds(value in any_value(), rule in any_rule()) {
        if let Some(target) = rule.target(&value) {
            prop_assert!(rule.holds(&target), "{:?} {}", rule, target);
        }
    }

    #[test]
    fn the_order_of_layers_and_entries_does_not_matter(layers in any_layers()) {
        let mut turned: Vec<Layer> = layers.iter().rev().cloned().collect();
        turned.iter_mut().for_each(|layer| layer.entries.reverse());
        prop_assert_eq!(demands(&layers), demands(&turned));
    }

    #[test]
    fn the_most_specific_layer_that_names_a_setting_decides(layers in any_layers()) {
        let found = demands(&layers);
        for setting in SETTINGS {
            let last = layers.iter().rev().find_map(|layer| layer.entries.iter().find(|it| it.setting == setting).map(|it| (layer.kind, it)));
            let demand = found.iter().find(|it| it.setting == setting);
            let wanted = last.and_then(|(kind, entry)| Some((kind, entry.rule.as_ref()?)));
            prop_assert_eq!(demand.map(|it| (it.layer, &it.rule)), wanted);
        }
    }

    /// Facts that are missing, old or not offered never make a drift, and never an order.
    #[test]
    fn what_is_unknown_never_decides(layers in any_layers(), value in any_value(), why in 0..6u8) {
        let settings: Vec<_> = SETTINGS.iter().map(|name| (*name, value.clone())).collect();
        let mut facts = read(&settings);
        match why {
            0 => facts.reading = Reading::Excluded,
            1 => facts.reading = Reading::Never { reason: "throttled".into() },
            2 => facts.settings.clear(),
            3 => facts.stale_before = at(11),
            4 => facts.settings.values_mut().for_each(|it| it.read = Read::Partly),
            _ => facts.settings.values_mut().for_each(|it| it.offered = Offered::NoLicense),
        }
        for demand in demands(&layers) {
            prop_assert!(matches!(judge(&demand, &facts, at(10)), Outcome::Unknown(_)));
        }
    }

    /// After every exception's end all is as if there had been none.
    #[test]
    fn an_exception_that_ended_changes_nothing(layers in any_layers(), value in any_value(), until in 0i64..20) {
        let settings: Vec<_> = SETTINGS.iter().map(|name| (*name, value.clone())).collect();
        let plain = read(&settings);
        let mut excepted = plain.clone();
        excepted.exceptions = vec![accepted(None, at(until))];
        for demand in demands(&layers) {
            let (without, with) = (judge(&demand, &plain, at(20)), judge(&demand, &excepted, at(20)));
            prop_assert_eq!(without, with);
        }
    }
}
