//! Signed URLs: bound to bucket, name, object, verb, time and the signer's right.
use jiff::SignedDuration;
use pg::{
    Actor,
    access::{Read, Reader, Source},
};
use serde_json::{Value, json};
use storage::FROZEN_FILES_PER_HOUR_MAX;

use crate::api::{Api, MustFail as _};

async fn signed(api: &Api, actor: &Actor, file: &str, expires: Value) -> String {
    let ask = api.ask(actor, "POST", format!("/object/sign/{file}")).json(&json!({ "expiresIn": expires }));
    ask.send().await.ok().json()["signedURL"].as_str().expect("a URL").to_owned()
}

#[tokio::test]
async fn a_signed_url_needs_no_token_and_ends() {
    let api = Api::new().await;
    let file = format!("attachments/{}/a.txt", api.contoso);
    api.attach(&api.at_contoso, api.contoso, "a.txt", "x").await.ok();
    let url = signed(&api, &api.at_contoso, &file, json!("60")).await;
    let got = api.nobody("GET", format!("{url}&download=b.txt")).send().await.ok();
    assert_eq!((got.text.as_str(), got.header("cache-control")), ("x", "private, no-cache"));
    assert!(got.header("content-disposition").contains("b.txt"));
    api.clock.advance(SignedDuration::from_secs(59));
    api.nobody("GET", &url).send().await.ok();
    api.clock.advance(SignedDuration::from_secs(1));
    api.nobody("GET", &url).send().await.must_fail(400, "InvalidSignature");
    for expires in [json!(0), json!(-1), json!(604_801), json!("x"), Value::Null] {
        let ask = api.ask(&api.at_contoso, "POST", format!("/object/sign/{file}"));
        ask.json(&json!({ "expiresIn": expires })).send().await.must_fail(400, "InvalidRequest");
    }
}

/// While exports are frozen, hundreds of files are one, with a token or by links.
#[tokio::test]
async fn whoever_took_many_files_gets_no_more_while_exports_are_frozen() {
    let api = Api::new().await;
    let file = format!("attachments/{}/a.txt", api.contoso);
    api.attach(&api.at_contoso, api.contoso, "a.txt", "x").await.ok();
    let url = signed(&api, &api.at_contoso, &file, json!(60)).await;
    let taken = |rows| Read {
        reader: Reader::from(&api.at_contoso),
        source: Source::File,
        subject: ("storage", "attachments"),
        rows,
        at: api.clock.now(),
    };
    let log = api.db.pg.access();
    log.note(&taken(FROZEN_FILES_PER_HOUR_MAX - 1), |_| {});
    let freeze = "insert into public.export_freezes (reason, frozen_at) values ('a test', now())";
    api.db.arrange(freeze).await;
    api.nobody("GET", &url).send().await.ok();
    api.nobody("GET", &url).send().await.must_fail(423, "ExportsFrozen");
    let path = format!("/object/{file}");
    api.ask(&api.at_contoso, "GET", &path).send().await.must_fail(423, "ExportsFrozen");
    api.ask(&api.owner, "GET", &path).send().await.ok();
    api.db.arrange("update public.export_freezes set lifted_at = now(), lift_reason = 'seen'").await;
    api.ask(&api.at_contoso, "GET", &path).send().await.ok();
}

#[tokio::test]
async fn a_changed_url_is_refused() {
    let api = Api::new().await;
    for name in ["a.txt", "b.txt"] {
        api.attach(&api.at_contoso, api.contoso, name, name).await.ok();
    }
    let file = format!("attachments/{}/a.txt", api.contoso);
    let url = signed(&api, &api.at_contoso, &file, json!(60)).await;
    let (path, token) = url.split_once("?token=").expect("a token");
    let (body, signature) = token.split_once('.').expect("two parts");
    let refused = async |url: String| api.nobody("GET", url).send().await.must_fail(400, "InvalidSignature");
    refused(format!("{}?token={token}", path.replace("a.txt", "b.txt"))).await;
    refused(format!("{}?token={token}", path.replace("attachments", "evidence"))).await;
    refused(format!("{path}?token={body}.{}", signature.replace(&signature[..1], "f0"))).await;
    refused(format!("{path}?token={body}x.{signature}")).await;
    refused(format!("{path}?token=")).await;
    refused(format!("{path}?token={}", "a".repeat(5_000))).await;
    // A link for reading does not write, and the other way round.
    let put = api.nobody("PUT", format!("{}?token={token}", path.replace("/sign/", "/upload/sign/")));
    put.body("x").send().await.must_fail(400, "InvalidSignature");
    api.nobody("GET", &url).send().await.ok();
    api.vault.rotate_link_key().await.expect("a new key");
    refused(url.clone()).await;
}

/// Every byte changed, left out and doubled, every cut, and links of other keys.
#[tokio::test]
async fn nothing_near_a_token_opens_a_file() {
    let api = Api::new().await;
    api.attach(&api.at_contoso, api.contoso, "a.txt", "x").await.ok();
    let url = signed(&api, &api.at_contoso, &format!("attachments/{}/a.txt", api.contoso), json!(60)).await;
    let (path, token) = url.split_once("?token=").expect("a token");
    for forged in testkit::forgery::near(token) {
        let encoded: String = forged.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let answer = api.nobody("GET", format!("{path}?token={encoded}")).send().await;
        assert_eq!(answer.status.as_u16(), 400, "{forged}");
    }
    api.nobody("GET", &url).send().await.ok();
}

#[tokio::test]
async fn a_link_follows_its_object_and_its_signers_right() {
    let api = Api::new().await;
    let file = format!("attachments/{}/a.txt", api.contoso);
    api.attach(&api.at_contoso, api.contoso, "a.txt", "old").await.ok();
    let url = signed(&api, &api.at_contoso, &file, json!(600)).await;
    api.ask(&api.owner, "PUT", format!("/object/{file}")).body("new").send().await.ok();
    assert_eq!(
        api.nobody("GET", &url).send().await.ok().text,
        "new",
        "an overwritten file is the same object"
    );
    // Signing out does not end a link; losing the right does.
    api.db.arrange("update auth.sessions set ended_at = now(), end_reason = 'sign_out' where user_id in (select user_id from public.memberships)").await;
    api.nobody("GET", &url).send().await.ok();
    let by_owner = signed(&api, &api.owner, &file, json!(600)).await;
    api.db.arrange("delete from public.memberships").await;
    api.nobody("GET", &url).send().await.must_fail(400, "InvalidSignature");
    api.nobody("GET", &by_owner).send().await.ok();
    api.db.arrange("update auth.users set disabled_at = now() where kind = 'staff'").await;
    api.nobody("GET", &by_owner).send().await.must_fail(400, "InvalidSignature");
    api.db.arrange("update auth.users set disabled_at = null").await;
    api.ask(&api.owner, "DELETE", format!("/object/{file}")).send().await.ok();
    api.ask(&api.owner, "POST", format!("/object/{file}")).body("another").send().await.ok();
    api.nobody("GET", &by_owner).send().await.must_fail(404, "not_found");
}

#[tokio::test]
async fn many_at_once() {
    let api = Api::new().await;
    api.attach(&api.at_contoso, api.contoso, "a.txt", "x").await.ok();
    let paths = json!([format!("{}/a.txt", api.contoso), format!("{}/none.txt", api.contoso), "../x"]);
    let body = json!({ "expiresIn": 60, "paths": paths });
    let list =
        api.ask(&api.at_contoso, "POST", "/object/sign/attachments").json(&body).send().await.ok().json();
    assert_eq!(list.as_array().map(Vec::len), Some(3));
    api.nobody("GET", list[0]["signedURL"].as_str().expect("a URL")).send().await.ok();
    for line in [&list[1], &list[2]] {
        assert!(line["signedURL"].is_null() && line["error"].is_string(), "{line}");
    }
}

#[tokio::test]
async fn an_upload_url_writes_that_name_for_its_signer() {
    let api = Api::new().await;
    let file = format!("attachments/{}/given.txt", api.contoso);
    let ask = api.ask(&api.at_contoso, "POST", format!("/object/upload/sign/{file}"));
    let signed = ask.send().await.ok().json();
    let url = signed["url"].as_str().expect("a URL").to_owned();
    assert!(url.ends_with(signed["token"].as_str().expect("a token")));
    let other = url.replace("given.txt", "other.txt");
    api.nobody("PUT", other).body("x").send().await.must_fail(400, "InvalidSignature");
    let put = api.nobody("PUT", &url).header("content-type", "text/plain").body("by link").send().await.ok();
    assert_eq!(put.json()["Key"], json!(file));
    api.nobody("PUT", &url).body("again").send().await.must_fail(409, "Duplicate");
    let got = api.ask(&api.at_contoso, "GET", format!("/object/{file}")).send().await.ok();
    assert_eq!(got.text, "by link");
    let owner: uuid::Uuid = api.db.read("select owner_id from storage.objects").await;
    assert_eq!(Some(owner), api.at_contoso.user.map(|user| user.0));
    let seen: i64 = api
        .db
        .read("select count(*) from audit.log where table_name = 'storage.objects' and actor_id is not null and reason = 'files'")
        .await;
    assert_eq!(seen, 1, "the log names who signed");
    let ask =
        api.ask(&api.at_contoso, "POST", format!("/object/upload/sign/{file}")).header("x-upsert", "true");
    let over = ask.send().await.ok().json()["url"].as_str().expect("a URL").to_owned();
    api.nobody("PUT", &over).body("over").send().await.ok();
    api.clock.advance(SignedDuration::from_secs(storage::UPLOAD_LINK_LIFE_S));
    api.nobody("PUT", &over).body("late").send().await.must_fail(400, "InvalidSignature");
    api.ask(&api.at_contoso, "POST", format!("/object/upload/sign/evidence/{}/x", api.contoso))
        .send()
        .await
        .must_fail(403, "Unauthorized");
}
