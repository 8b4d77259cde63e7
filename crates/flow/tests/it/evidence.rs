//! The signed record: complete, without secrets, and no byte of it can be changed.
use flow::{
    RunState,
    evidence::{EvidenceError, PublicKey, Trust, verify},
};
use serde_json::{Value, json};

use crate::{
    changes::change_with,
    stage::Stage,
    world::{Behavior, Signer},
};

fn key() -> PublicKey {
    let hex = Signer::new().public_key_hex();
    let byte = |index: usize| u8::from_str_radix(&hex[index * 2..index * 2 + 2], 16).expect("hexadecimal");
    PublicKey(std::array::from_fn(byte))
}

async fn bundle() -> (Stage, kernel::id::RunId, Vec<u8>) {
    let approval = json!({ "policy": "One technician", "expires_after_ms": 60_000 });
    let stage = Stage::with(change_with(json!({ "approval": approval }))).await;
    let worker = stage.worker();
    let run = stage.start(json!({ "client_secret": "hidden-in-input", "device": "AD-FS02" })).await;
    let approval = stage.approval(run).await;
    stage.decide(approval, flow::Decision::Approve).await.expect("decided");
    assert_eq!(stage.over(run).await, RunState::Verified);
    worker.stop().await;
    let text = stage.text("select bundle from public.evidence where run_id = $1", run).await;
    (stage, run, text.into_bytes())
}

#[tokio::test]
async fn a_bundle_says_what_happened_and_can_be_checked_offline() {
    let (stage, run, bytes) = bundle().await;
    let verified = verify(&bytes, Some(&[key()])).expect("a good bundle");
    assert_eq!(
        (verified.run, verified.customer, verified.outcome),
        (run, stage.customer, RunState::Verified)
    );
    assert_eq!((verified.trust, verified.key_id.as_str()), (Trust::Trusted, "test-key"));
    assert_eq!(verify(&bytes, None).expect("a good bundle").trust, Trust::KeyNotChecked);
    let strangers = verify(&bytes, Some(&[PublicKey([9; 32])]));
    assert!(matches!(strangers, Err(EvidenceError::UnknownKey { .. })));

    let text = String::from_utf8(bytes).expect("text");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).collect::<Vec<_>>();
    assert_eq!(of("run")[0]["workflow"]["key"], "t.flow");
    assert_eq!(of("run")[0]["workflow"]["definition_sha256"].as_str().map(str::len), Some(64));
    assert_eq!(of("before")[0]["before"]["facts"]["disk_used_percent"], 97);
    assert_eq!(of("before")[0]["before"]["request_id"], "req-1");
    assert_eq!(of("after")[0]["after"]["facts"]["disk_used_percent"], 60);
    assert_eq!(of("plan")[0]["plan"]["verified_by"], "C: below 90 %");
    assert_eq!(of("guard")[0]["guard"]["checks"][0]["name"], "budget");
    assert_eq!(of("receipt")[0]["receipt"]["request_id"], "req-2");
    assert_eq!(of("approval")[0]["state"], "approved");
    assert!(of("approval")[0]["decided_by"].is_string());
    assert_eq!(of("change")[0]["state"], "verified");
    assert_eq!(of("step").len(), 7, "every step before the evidence");
    assert_eq!(of("manifest")[0]["outcome"], "verified");
    assert_eq!(verified.entries, lines.len() - 1);
    for secret in ["very-secret-token", "hidden-in-input"] {
        assert!(!text.contains(secret), "{secret} is in the bundle");
    }
    assert!(text.contains("AD-FS02"));
    let same = "select bundle_sha256 = encode(sha256(bundle::bytea), 'hex') and entries = $2 from public.evidence where run_id = $1";
    let entries = i32::try_from(verified.entries).expect("a small number");
    assert!(stage.client.query_one(same, &[&run.0, &entries]).await.expect("a row").get::<_, bool>(0));
}

#[tokio::test]
async fn no_byte_can_be_changed_added_or_removed() {
    let (_stage, _run, bytes) = bundle().await;
    assert!(verify(&bytes, None).is_ok());
    for at in 0..bytes.len() {
        let mut forged = bytes.clone();
        forged[at] ^= 1 << (at % 8);
        assert!(verify(&forged, None).is_err(), "byte {at} was flipped unnoticed");
        let mut shorter = bytes.clone();
        shorter.remove(at);
        assert!(verify(&shorter, None).is_err(), "byte {at} was removed unnoticed");
        let mut longer = bytes.clone();
        longer.insert(at, [b' ', b'\n', b'0'][at % 3]);
        assert!(verify(&longer, None).is_err(), "a byte before {at} was added unnoticed");
    }
    for tail in [&b" "[..], b"\n", b"\0", b"{}\n"] {
        let longer = [&bytes[..], tail].concat();
        assert!(verify(&longer, None).is_err(), "{tail:?} at the end was not noticed");
    }
}

#[tokio::test]
async fn lines_cannot_be_dropped_doubled_or_swapped() {
    let (_stage, _run, bytes) = bundle().await;
    let text = String::from_utf8(bytes).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    let refused = |lines: Vec<&str>| verify(format!("{}\n", lines.join("\n")).as_bytes(), None).is_err();
    for at in 0..lines.len() {
        let mut fewer = lines.clone();
        fewer.remove(at);
        assert!(refused(fewer), "line {at} was dropped unnoticed");
        let mut more = lines.clone();
        more.insert(at, lines[at]);
        assert!(refused(more), "line {at} was doubled unnoticed");
    }
    let mut swapped = lines.clone();
    swapped.swap(0, 1);
    assert!(refused(swapped));
    assert!(!refused(lines));
    assert!(verify(b"", None).is_err() && verify(b"\n", None).is_err() && verify(b"{}\n", None).is_err());
}

#[tokio::test]
async fn upper_case_hexadecimal_is_another_file() {
    let (_stage, _run, bytes) = bundle().await;
    let text = String::from_utf8(bytes).expect("text");
    let at = text.rfind("\"signature\":\"").expect("a signature") + 13;
    let (head, tail) = text.split_at(at);
    let forged = format!("{head}{}", tail.replacen(|c: char| c.is_ascii_lowercase(), "A", 1));
    assert!(verify(forged.as_bytes(), None).is_err());
    let upper = format!("{head}{}{}", tail[..128].to_uppercase(), &tail[128..]);
    assert!(verify(upper.as_bytes(), None).is_err(), "the same signature in upper case");
}

#[tokio::test]
async fn runs_that_go_down_leave_evidence_too() {
    for (behavior, input, outcome) in [
        (Behavior::Refuses, json!({}), "failed"),
        (Behavior::Honest, json!({ "budget": 0 }), "rejected"),
        (Behavior::Lies, json!({}), "unverified"),
    ] {
        let stage = Stage::with(change_with(json!({}))).await;
        stage.world.behaves(&[behavior]);
        let (run, state) = stage.run(input).await;
        assert_eq!(state.as_str(), outcome);
        let text = stage.text("select bundle from public.evidence where run_id = $1", run).await;
        let verified = verify(text.as_bytes(), Some(&[key()])).expect("a good bundle");
        assert_eq!(verified.outcome.as_str(), outcome);
    }
}
