//! What definitions are refused, and that validation agrees with a plain reading of the graph.
use flow::Definition;
use proptest::prelude::*;
use serde_json::{Value, json};

fn of(steps: Value) -> Value {
    json!({ "key": "t.flow", "name": "Test", "description": "", "timeout_ms": 1000, "steps": steps })
}

fn reason(steps: Value) -> String {
    Definition::from_json(&of(steps)).expect_err("refused").to_string()
}

#[test]
fn definitions_with_faults_are_refused_and_say_where() {
    let task = |key: &str| json!({ "key": key, "title": "T", "kind": "task", "handler": "t.write" });
    let with = |key: &str, field: &str, value: Value| {
        let mut step = task(key);
        step[field] = value;
        step
    };
    assert!(reason(json!([])).contains("1 to 40 steps"));
    assert!(reason(json!([task("a"), task("a")])).contains("used twice"));
    assert!(reason(json!([task("A")])).contains("key"));
    assert!(reason(json!([with("a", "needs", json!(["b"]))])).contains("does not exist"));
    assert!(reason(json!([with("a", "needs", json!(["a"]))])).contains("circle"));
    let circle = json!([with("a", "needs", json!(["b"])), with("b", "needs", json!(["a"]))]);
    assert!(reason(circle).contains("circle"));
    assert!(reason(json!([with("a", "when", json!("input."))])).contains("when"));
    assert!(reason(json!([with("a", "when", json!("password == ''"))])).contains("not known"));
    assert!(reason(json!([with("a", "whenn", json!("true"))])).contains("unknown field"));
    assert!(reason(json!([with("a", "timeout_ms", json!(1))])).contains("timeout_ms"));
    let retry = json!({ "attempts_max": 0, "delay_ms": 1, "factor": 1.0, "delay_ms_max": 1, "jitter": 0.0 });
    assert!(reason(json!([with("a", "retry", retry)])).contains("attempts_max"));
    assert!(reason(json!([{ "key": "a", "title": "T", "kind": "timer" }])).contains("either"));
    assert!(reason(json!([{ "key": "a", "title": "T", "kind": "spell" }])).contains("unknown variant"));
}

#[test]
fn what_changes_something_needs_evidence_after_it() {
    let change = json!({ "key": "c", "title": "C", "kind": "change", "handler": "t.disk" });
    let evidence = json!({ "key": "e", "title": "E", "kind": "evidence" });
    assert!(reason(json!([change])).contains("needs an evidence step"));
    assert!(reason(json!([evidence, change])).contains("after every change"));
    assert!(Definition::from_json(&of(json!([change, evidence]))).is_ok());
    let mut always = change.clone();
    always["run_on"] = json!("always");
    assert!(reason(json!([always, evidence])).contains("on success only"));
}

#[tokio::test]
async fn a_handler_that_this_release_does_not_have_is_refused() {
    let stage = crate::stage::Stage::new().await;
    let steps = json!([{ "key": "a", "title": "T", "kind": "task", "handler": "t.unknown" }]);
    let refused = stage.engine.register(&crate::stage::definition(steps)).await;
    assert!(matches!(refused, Err(flow::FlowError::Definition(_))));
}

/// A graph as lists of needs; `None` is the default (the step before).
fn graphs() -> impl Strategy<Value = Vec<Option<Vec<usize>>>> {
    (1_usize..12).prop_flat_map(|steps| {
        let needs = proptest::collection::btree_set(0..steps, 0..3).prop_map(|set| set.into_iter().collect());
        proptest::collection::vec(proptest::option::weighted(0.7, needs), steps)
    })
}

/// Whether every step can be reached by taking, again and again, one whose needs are all taken.
fn can_all_run(graph: &[Option<Vec<usize>>]) -> bool {
    let mut taken = vec![false; graph.len()];
    for _ in 0..graph.len() {
        for (index, needs) in graph.iter().enumerate() {
            let is_free = match needs {
                Some(needs) => needs.iter().all(|&need| taken[need]),
                None => index == 0 || taken[index - 1],
            };
            taken[index] |= is_free;
        }
    }
    taken.into_iter().all(|is_taken| is_taken)
}

proptest! {
    #[test]
    fn a_graph_is_valid_exactly_when_all_its_steps_can_run(graph in graphs()) {
        let steps: Vec<Value> = graph
            .iter()
            .enumerate()
            .map(|(index, needs)| {
                let mut step = json!({ "key": format!("s{index}"), "title": "T", "kind": "task", "handler": "t.write" });
                if let Some(needs) = needs {
                    step["needs"] = needs.iter().map(|need| format!("s{need}")).collect();
                }
                step
            })
            .collect();
        prop_assert_eq!(Definition::from_json(&of(json!(steps))).is_ok(), can_all_run(&graph));
    }

    #[test]
    fn a_valid_definition_survives_storing(graph in graphs()) {
        prop_assume!(can_all_run(&graph));
        let steps: Vec<Value> = (0..graph.len())
            .map(|index| json!({ "key": format!("s{index}"), "title": "T", "kind": "timer", "delay_ms": index }))
            .collect();
        let definition = Definition::from_json(&of(json!(steps))).expect("valid");
        let stored = serde_json::to_value(&definition).expect("JSON");
        prop_assert_eq!(Definition::from_json(&stored).expect("valid again"), definition);
    }
}
