//! Throw-away databases and people for tests, on a real PostgreSQL. One private cluster per test run (or per test
//! process when started without `xtask test`), one template, one clone of it per test.
mod answer;
pub mod forgery;
mod keeper;
mod own_server;
mod people;
pub mod rows;
mod until;
mod url;

use kernel::id::CustomerId;
use pg::{Pg, PgSettings};
use tokio_postgres::{Client, Config, NoTls};

pub use answer::Answer;
pub use keeper::{RunCluster, server, start_for_run};
pub use own_server::OwnServer;
pub use until::until;
pub use url::encode_url;

/// A fresh, migrated database of its own. Dropped with the value.
#[derive(Debug)]
pub struct TestDb {
    pub pg: Pg,
    /// Superuser on this database: for arranging and for looking behind the policies.
    pub admin: Config,
    /// The pool's login on this database.
    pub authenticator: Config,
    name: String,
}

impl TestDb {
    pub async fn new() -> Self {
        let (admin, authenticator, name) = keeper::clone_template().await;
        let settings = PgSettings::halves(authenticator.clone(), 12);
        let pg = Pg::new(&settings).expect("a pool");
        Self { pg, admin, authenticator, name }
    }

    /// A superuser connection. Its task ends when the client is dropped.
    pub async fn admin_client(&self) -> Client {
        connect(&self.admin).await
    }

    /// Runs SQL as superuser.
    pub async fn arrange(&self, sql: &str) {
        self.admin_client().await.batch_execute(sql).await.expect("arranging SQL");
    }

    /// One value, read as superuser.
    pub async fn read<T>(&self, sql: &str) -> T
    where
        T: for<'a> tokio_postgres::types::FromSql<'a>,
    {
        self.admin_client().await.query_one(sql, &[]).await.expect("one row").get(0)
    }

    /// A customer named after its slug.
    pub async fn customer(&self, slug: &str) -> CustomerId {
        let id = people::new_id();
        let code: String =
            slug.chars().filter(char::is_ascii_alphanumeric).take(8).collect::<String>().to_uppercase();
        self.admin_client()
            .await
            .execute(
                "insert into public.customers (id, slug, code, name) values ($1, $2, $3, initcap($2))",
                &[&id, &slug, &code],
            )
            .await
            .expect("a customer");
        CustomerId(id)
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        self.pg.close();
        keeper::drop_later(&self.name);
    }
}

pub(crate) async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("a connection to the test cluster");
    #[expect(clippy::disallowed_methods, reason = "drives this one connection; ends with its client")]
    tokio::spawn(connection);
    client
}
