//! `integration-connect`: who may, and that no answer repeats a secret.
use kernel::{ErrorCode, id::IntegrationId};
use serde_json::json;
use uuid::Uuid;

use crate::api::{Api, MustFail as _};

const SECRET: &str = "s3cret-that-nobody-repeats";

#[tokio::test]
async fn people_without_the_permission_connect_nothing() {
    let api = Api::new().await;
    let credentials = json!({ "vendor": "ninjaone", "client_id": "a", "client_secret": SECRET });
    let connect = json!({ "action": "connect", "name": "N", "base_url": "https://app.ninjarmm.com", "credentials": credentials });
    api.call(&api.technician, "integration-connect", &connect, None).await.must_fail(ErrorCode::NotPermitted);
    api.call(&api.at_contoso, "integration-connect", &connect, None).await.must_fail(ErrorCode::NotFound);
    let id = IntegrationId(Uuid::now_v7());
    for body in [
        json!({ "action": "check", "integration_id": id }),
        json!({ "action": "renew", "integration_id": id, "credentials": credentials }),
    ] {
        api.call(&api.owner, "integration-connect", &body, None).await.must_fail(ErrorCode::NotFound);
        api.call(&api.at_contoso, "integration-connect", &body, None).await.must_fail(ErrorCode::NotFound);
    }
}

#[tokio::test]
async fn a_refusal_never_repeats_a_secret() {
    let api = Api::new().await;
    let with = |credentials: serde_json::Value| json!({ "action": "connect", "name": "N", "base_url": "http://127.0.0.1:1", "credentials": credentials });
    let bodies = [
        with(json!({ "vendor": "ninjaone", "client_id": "a", "client_secret": SECRET })),
        with(json!({ "vendor": "ninjaone", "client_id": "", "client_secret": SECRET })),
        with(json!({ "vendor": "ninjaone", "client_secret": SECRET })),
        with(json!({ "vendor": "ninjaone", "client_id": "a", "client_secret": [SECRET] })),
        with(json!({ "vendor": "revio", "user": "u", "client_code": "c", "password": SECRET, "more": 1 })),
        with(json!({ "vendor": "elsewhere", "client_secret": SECRET })),
    ];
    for body in bodies {
        let answer = api.call(&api.owner, "integration-connect", &body, None).await;
        assert!((400..500).contains(&answer.status.as_u16()), "{}", answer.json());
        assert!(!answer.json().to_string().contains(SECRET), "{}", answer.json());
    }
    let sql = "select count(*) from app.function_calls c where c::text like '%' || $1 || '%'";
    let kept: i64 = api.db.admin_client().await.query_one(sql, &[&SECRET]).await.expect("a count").get(0);
    assert_eq!(kept, 0);
}
