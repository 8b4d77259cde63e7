//! A process that is killed between bytes and row: nothing half is ever shown, and what is left over is swept, not before time.
use jiff::SignedDuration;
use kernel::id::uuid_v7;

use crate::api::{Api, MustFail as _};

/// As a process leaves it that was killed after the bytes and before the row.
fn left_over(api: &Api, name: &str) {
    api.store.put(&format!("{}/{name}", api.contoso), "left over");
}

#[tokio::test]
async fn bytes_without_a_row_are_swept_when_they_are_old() {
    let api = Api::new().await;
    api.attach(&api.at_contoso, api.contoso, "kept.txt", "kept").await.ok();
    let (orphan, half) = (uuid_v7(api.clock.now()), uuid_v7(api.clock.now()));
    left_over(&api, &orphan.to_string());
    // What a bucket has of a file that was not finished is not among its files.
    let halves = u64::from(api.store.is_folder());
    if api.store.is_folder() {
        left_over(&api, &format!("{half}#1"));
    }
    left_over(&api, "not-ours.txt");
    let all = api.blobs().len();
    assert_eq!(all as u64, 3 + halves);
    let young = api.state.sweep().await.expect("a sweep");
    assert_eq!((young.orphans_removed, young.half_written_removed, api.blobs().len()), (0, 0, all));
    api.clock.advance(SignedDuration::from_hours(storage::ORPHAN_HOURS_MIN));
    api.clock.advance(SignedDuration::from_secs(1));
    let old = api.state.sweep().await.expect("a sweep");
    assert_eq!((old.orphans_removed, old.half_written_removed), (1, halves));
    assert!(api.blobs().iter().any(|key| key.ends_with("not-ours.txt")), "what is not ours is left alone");
    let url = format!("/object/attachments/{}/kept.txt", api.contoso);
    assert_eq!(api.ask(&api.at_contoso, "GET", &url).send().await.ok().text, "kept");
}

#[tokio::test]
async fn files_go_with_their_customer() {
    let api = Api::new().await;
    api.attach(&api.at_contoso, api.contoso, "a.txt", "x").await.ok();
    api.attach(&api.at_fabrikam, api.fabrikam, "b.txt", "y").await.ok();
    api.db.arrange(&format!("delete from public.customers where id = '{}'", api.contoso)).await;
    api.clock.advance(SignedDuration::from_hours(storage::ORPHAN_HOURS_MIN + 1));
    assert_eq!(api.state.sweep().await.expect("a sweep").orphans_removed, 1);
    assert_eq!(api.blobs().len(), 1);
    let url = format!("/object/attachments/{}/b.txt", api.fabrikam);
    api.ask(&api.at_fabrikam, "GET", &url).send().await.ok();
}

#[tokio::test]
async fn a_row_that_cannot_be_written_leaves_no_bytes() {
    let api = Api::new().await;
    // The last moment: admitted, received, and then the database says no.
    api.db
        .arrange(
            "create function public.no() returns trigger language plpgsql as $$ begin
               if new.size_bytes > 0 then raise exception 'no'; end if; return new; end $$;
             create trigger no before insert on storage.objects for each row execute function public.no()",
        )
        .await;
    let answer = api.attach(&api.at_contoso, api.contoso, "a.txt", "x").await;
    answer.must_fail(500, "InternalError");
    assert!(api.blobs().is_empty());
    assert!(!answer.text.contains("no\""), "{}", answer.text);
}

#[tokio::test]
async fn bytes_that_are_gone_are_an_error_and_no_empty_file() {
    let api = Api::new().await;
    api.attach(&api.at_contoso, api.contoso, "a.txt", "x").await.ok();
    api.store.remove(&api.blobs()[0]);
    let url = format!("/object/attachments/{}/a.txt", api.contoso);
    api.ask(&api.at_contoso, "GET", &url).send().await.must_fail(500, "InternalError");
}
