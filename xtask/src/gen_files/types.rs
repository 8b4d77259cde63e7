//! `web/src/api/database.ts`: the types of the data API's schema, as `obera gen types typescript` prints them.
use testkit::TestDb;

use crate::Result;

pub const PATH: &str = "web/src/api/database.ts";

pub fn module() -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let db = TestDb::new().await;
        Ok(rest::typescript(&db.pg, &["public".to_owned()]).await?)
    })
}
