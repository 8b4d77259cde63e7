//! The product's router over a database where every table has rows of two customers, and those who try.
use std::collections::{BTreeMap, BTreeSet};

use auth::{AuthState, Origin};
use axum::Router;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use kernel::{
    id::{CustomerId, UserId},
    secret::ExposeSecret as _,
};
use metrics_exporter_prometheus::PrometheusBuilder;
use pg::migrate::Report;
use serde_json::{Map, Value, json};
use storage::StorageConfig;
use testkit::{
    TestDb,
    rows::{Person, Row, Seeds, Table, Whose, relations},
};
use tokio_postgres::Client;
use uuid::Uuid;
use vault::{MasterKey, Vault};

use crate::{
    config::{LogFormat, Settings},
    database::Database,
    http,
    runtime::{self, Product, Tuning},
};

/// Open to every signed-in person by their nature: their values are nobody's secret.
const COMMON: &[&str] = &["storage.buckets"];
/// Rows that are no keys would be read as keys: seeded for what refers to them, and taken away again.
const NOT_KEPT: &str = "vault.keys";

/// What is asked of the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing of the other customer, and no sign that it exists.
    Nothing,
    /// The same, by 401.
    Refusal,
    /// A person of the provider, who may read it: no fault of the server, whatever is asked.
    NoFault,
}

/// Who tries.
#[derive(Clone, Debug)]
pub struct Raider {
    pub label: &'static str,
    pub token: Option<String>,
    /// Who has a session of their own; nobody behind a forged token.
    pub person: Option<UserId>,
    /// The database role that the requests run as; whose grants the bodies are cut to.
    pub role: &'static str,
    pub expect: Expect,
    /// Whose rows are tried: `Foreign` for the second customer's, `Colleague` for the first's.
    pub target: Whose,
}

/// The rows of one customer as the other may never see them.
#[derive(Clone, Debug, Default)]
pub struct Side {
    pub customer: String,
    /// Texts that only this customer's rows have, and what stands for each in a question about nobody.
    marks: Vec<(String, String)>,
}

impl Side {
    pub fn ghostly(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (mark, ghost) in &self.marks {
            if text.contains(mark.as_str()) {
                text = text.replace(mark.as_str(), ghost);
            }
        }
        text
    }

    /// A value of this customer that the asker did not send.
    pub fn told_in(&self, answer: &str, asked: &str) -> Option<&str> {
        let told = |mark: &&str| answer.contains(*mark) && !asked.contains(*mark);
        self.marks.iter().map(|(mark, _)| mark.as_str()).find(told)
    }
}

pub struct World {
    pub db: TestDb,
    pub admin: Client,
    pub auth: AuthState,
    surface: http::Surface,
    settings: Settings,
    /// Tables and views of all schemas.
    pub tables: Vec<Table>,
    /// Functions of public.
    pub functions: Vec<String>,
    pub seeds: Seeds,
    pub raiders: Vec<Raider>,
    sides: BTreeMap<Whose, Side>,
    /// A row of each relation and customer, as superuser.
    rows: BTreeMap<(String, Whose), Map<String, Value>>,
    /// `(role, relation, verb)`: columns.
    grants: BTreeMap<(String, String, String), BTreeSet<String>>,
    _folder: tempfile::TempDir,
}

impl World {
    /// The product's router, with limits of rate that nobody has used yet: they would answer before the rights do.
    pub fn router(&self) -> Router {
        http::router(self.surface.clone(), &self.settings)
    }

    pub async fn new() -> Self {
        let db = TestDb::new().await;
        let folder = tempfile::tempdir().expect("a folder");
        let settings = settings(folder.path());
        let master_key = MasterKey::generate().expect("a key");
        let database = Database { pg: db.pg.clone(), master_key, cluster: None, migrated: Report::default() };
        let product = Product::build(&database, &settings, &Tuning::default()).await.expect("the product");
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let surface = runtime::surface(&product, &settings, metrics).await.expect("the surface");
        surface.rest.loaded().await;
        let auth = surface.auth.clone();
        let admin = db.admin_client().await;
        let tables: Vec<Table> = relations(&admin).await;
        let functions = "select distinct proname::text from pg_catalog.pg_proc where pronamespace = 'public'::regnamespace order by 1";
        let functions = admin.query(functions, &[]).await.expect("functions");
        let functions = functions.iter().map(|row| row.get(0)).collect();
        admin.batch_execute("begin").await.expect("a transaction");
        let seeds = Seeds::plant(&admin, &tables, Person::Portal("portal_admin")).await;
        for row in seeds.of(NOT_KEPT) {
            let same = row
                .literals
                .iter()
                .map(|(column, literal)| format!("\"{column}\"::text is not distinct from {literal}"));
            let condition = same.collect::<Vec<_>>().join(" and ");
            let sql = format!(
                "set local session_replication_role = replica; delete from {NOT_KEPT} where {condition}"
            );
            admin.batch_execute(&sql).await.expect("taken away");
        }
        admin.batch_execute("commit").await.expect("committed");
        let mut world = Self {
            raiders: Vec::new(),
            sides: BTreeMap::new(),
            rows: BTreeMap::new(),
            grants: grants(&admin).await,
            db,
            admin,
            auth,
            surface,
            settings,
            tables,
            functions,
            seeds,
            _folder: folder,
        };
        let people = world.raid(&product.vault).await;
        world.mark(&people).await;
        world.take_rows().await;
        world
    }

    pub fn side(&self, whose: Whose) -> &Side {
        &self.sides[&whose]
    }

    /// Whose the raider is.
    pub fn own(&self, raider: &Raider) -> Whose {
        if raider.target == Whose::Foreign { Whose::Colleague } else { Whose::Foreign }
    }

    pub fn raider(&self, label: &str) -> &Raider {
        self.raiders.iter().find(|raider| raider.label == label).expect("a raider")
    }

    pub fn row(&self, relation: &str, whose: Whose) -> Option<&Map<String, Value>> {
        self.rows.get(&(relation.to_owned(), whose))
    }

    pub fn may(&self, role: &str, relation: &str, verb: &str, column: &str) -> bool {
        let key = (role.to_owned(), relation.to_owned(), verb.to_owned());
        self.grants.get(&key).is_some_and(|columns| columns.contains(column))
    }

    /// A hash of each table's rows of this customer; a row that was written as it was counts as changed.
    pub async fn state_of(&self, whose: Whose) -> BTreeMap<String, String> {
        let mut state = BTreeMap::new();
        for table in self.tables.iter().filter(|table| !table.is_view) {
            let Some(whose_rows) = self.belonging(table, whose) else { continue };
            let sql = format!(
                "select coalesce(md5(string_agg(md5(t::text || t.xmin), '' order by t::text)), '') from {} t where {whose_rows}",
                table.name
            );
            let hash: String = self.admin.query_one(&sql, &[]).await.expect("a hash").get(0);
            state.insert(table.name.clone(), hash);
        }
        state
    }

    /// The condition that finds a customer's rows, or the seeded person's where a table has no customer.
    pub fn belonging(&self, table: &Table, whose: Whose) -> Option<String> {
        let owner = |parent: &str| self.seeds.literal(parent, whose, "id").map(str::to_owned);
        match (table.customer_column(), table.person_column()) {
            (Some(column), _) => Some(format!("\"{column}\" = {}", owner("public.customers")?)),
            (None, Some(column)) => Some(format!("\"{column}\" = {}", owner("auth.users")?)),
            (None, None) => None,
        }
    }

    async fn take_rows(&mut self) {
        for table in &self.tables {
            for whose in [Whose::Colleague, Whose::Foreign] {
                let Some(belonging) = self.belonging(table, whose) else { continue };
                let sql = format!("select to_jsonb(t) from {} t where {belonging} limit 1", table.name);
                if let Some(row) = self.admin.query_opt(&sql, &[]).await.expect("a row")
                    && let Value::Object(row) = row.get::<_, Value>(0)
                {
                    self.rows.insert((table.name.clone(), whose), row);
                }
            }
        }
    }

    /// People with sessions, and tokens that lie. Returns the people of each customer.
    async fn raid(&mut self, vault: &Vault) -> Vec<(Whose, Uuid)> {
        let customer = |whose| {
            let literal = self.seeds.literal("public.customers", whose, "id").expect("a customer");
            CustomerId(literal.trim_matches('\'').parse().expect("an id"))
        };
        let (first, second) = (customer(Whose::Colleague), customer(Whose::Foreign));
        let mut people = Vec::new();
        let mut tokens = BTreeMap::new();
        for (label, customer, role) in [
            ("portal_admin of A", first, "portal_admin"),
            ("portal_approver of A", first, "portal_approver"),
            ("technician of A", first, "technician"),
            ("portal_admin of B", second, "portal_admin"),
        ] {
            let user = self.db.portal(customer, role).await.user.expect("a person");
            let whose = if customer == second { Whose::Foreign } else { Whose::Colleague };
            people.push((whose, user.0));
            let token = self.token(user).await;
            tokens.insert(label, token.clone());
            let target = if customer == second { Whose::Colleague } else { Whose::Foreign };
            self.add(label, Some(token), "authenticated", Expect::Nothing, target);
            self.is_person(user);
        }
        self.add("anonymous", None, "authenticated", Expect::Nothing, Whose::Foreign);
        for (label, role) in
            [("staff owner", "owner"), ("staff technician", "technician"), ("staff auditor", "auditor")]
        {
            let user = self.db.staff(role).await.user.expect("a person");
            let token = self.token(user).await;
            self.add(label, Some(token), "staff", Expect::NoFault, Whose::Foreign);
            self.is_person(user);
        }
        self.lie(vault, &tokens["portal_admin of A"], &tokens["portal_admin of B"]).await;
        people
    }

    async fn lie(&mut self, vault: &Vault, of_a: &str, of_b: &str) {
        let claims = |token: &str| -> Value {
            let payload = token.split('.').nth(1).expect("a payload");
            let bytes = URL_SAFE_NO_PAD.decode(payload).expect("base64");
            serde_json::from_slice(&bytes).expect("claims")
        };
        let (mine, theirs) = (claims(of_a), claims(of_b));
        let key = vault.token_key().await.expect("the key");
        let header = jsonwebtoken::Header {
            kid: Some(key.kid.clone()),
            ..jsonwebtoken::Header::new(jsonwebtoken::Algorithm::ES256)
        };
        let signing = jsonwebtoken::EncodingKey::from_ec_der(key.pkcs8_der().expose_secret());
        let sign = |claims: &Value| jsonwebtoken::encode(&header, claims, &signing).expect("a token");
        let with = |name: &str, value: Value| {
            let mut claims = mine.clone();
            claims[name] = value;
            claims
        };
        let mut staff = with("role", json!("staff"));
        staff["app_metadata"] =
            json!({ "customer_id": self.seeds.literal("public.customers", Whose::Foreign, "id") });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let unsigned =
            format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT", "kid": key.kid })), part(&staff));
        let symmetric = jsonwebtoken::Header {
            kid: Some(key.kid.clone()),
            ..jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256)
        };
        let secret = jsonwebtoken::EncodingKey::from_secret(key.kid.as_bytes());
        let other_key = jsonwebtoken::encode(&symmetric, &staff, &secret).expect("a token");
        let signature = of_a.rsplit('.').next().expect("a signature");
        let (unsigned_b, _) = of_b.rsplit_once('.').expect("a token");
        let other_head = of_a.split('.').next().expect("a header");
        let other_sub = format!("{other_head}.{}.{signature}", part(&with("sub", theirs["sub"].clone())));
        for (label, token, role, expect) in [
            ("signed, claims staff and B", sign(&staff), "staff", Expect::Nothing),
            (
                "signed, session of B",
                sign(&with("session_id", theirs["session_id"].clone())),
                "authenticated",
                Expect::Nothing,
            ),
            (
                "signed, person of B, session of A",
                sign(&with("sub", theirs["sub"].clone())),
                "authenticated",
                Expect::Nothing,
            ),
            ("signed, claims system", sign(&with("role", json!("system"))), "authenticated", Expect::Refusal),
            ("algorithm none", unsigned, "staff", Expect::Refusal),
            ("another key", other_key, "staff", Expect::Refusal),
            (
                "token of B, signature of A",
                format!("{unsigned_b}.{signature}"),
                "authenticated",
                Expect::Refusal,
            ),
            ("token of A with the person of B", other_sub, "authenticated", Expect::Refusal),
        ] {
            self.add(label, Some(token), role, expect, Whose::Foreign);
        }
        let user = self.db.staff("owner").await.user.expect("a person");
        let token = self.token(user).await;
        let end = "update auth.sessions set ended_at = now(), end_reason = 'sign_out' where user_id = $1";
        self.admin.execute(end, &[&user.0]).await.expect("an end");
        self.add("staff owner, session ended", Some(token), "staff", Expect::Nothing, Whose::Foreign);
    }

    fn add(
        &mut self,
        label: &'static str,
        token: Option<String>,
        role: &'static str,
        expect: Expect,
        target: Whose,
    ) {
        self.raiders.push(Raider { label, token, person: None, role, expect, target });
    }

    /// Of the raider that was added last.
    fn is_person(&mut self, user: UserId) {
        self.raiders.last_mut().expect("a raider was added").person = Some(user);
    }

    /// The same raider with another session, if it has one at all.
    pub async fn renewed(&self, raider: &Raider) -> Raider {
        match raider.person {
            Some(person) => Raider { token: Some(self.token(person).await), ..raider.clone() },
            None => raider.clone(),
        }
    }

    pub async fn token(&self, user: UserId) -> String {
        let answer = self.auth.open_session(user, &Origin::default()).await.expect("a session");
        let answer = serde_json::to_value(answer).expect("JSON");
        answer["access_token"].as_str().expect("a token").to_owned()
    }

    /// Finds the values that only one side has, from all its rows.
    async fn mark(&mut self, people: &[(Whose, Uuid)]) {
        let sql = "select distinct format('%s.%s', schemaname, tablename) from pg_catalog.pg_policies
            where permissive = 'PERMISSIVE' and cmd in ('SELECT', 'ALL') and 'authenticated' = any (roles)";
        let readable: BTreeSet<String> =
            self.admin.query(sql, &[]).await.expect("policies").iter().map(|row| row.get(0)).collect();
        let mut of: BTreeMap<Whose, BTreeSet<String>> = BTreeMap::new();
        let (mut provider, mut common) = (BTreeSet::new(), BTreeSet::new());
        for table in self.tables.iter().filter(|table| !table.is_view) {
            for row in self.seeds.of(&table.name) {
                let values = telling(table, row);
                let is_common = COMMON.contains(&table.name.as_str()) || readable.contains(&table.name);
                match (table.owners().len(), row.whose) {
                    (1, _) if is_common => common.extend(values),
                    (1, _) => provider.extend(values),
                    (_, Whose::Mine | Whose::Colleague) => {
                        of.entry(Whose::Colleague).or_default().extend(values)
                    }
                    (_, Whose::Foreign) => of.entry(Whose::Foreign).or_default().extend(values),
                }
            }
        }
        for (whose, user) in people {
            of.entry(*whose).or_default().extend([user.to_string(), user.simple().to_string()]);
        }
        let all = of.clone();
        for (whose, other) in [(Whose::Colleague, Whose::Foreign), (Whose::Foreign, Whose::Colleague)] {
            let own =
                of[&whose].iter().filter(|value| !all[&other].contains(*value) && !common.contains(*value));
            let shared =
                |value: &&String| all.values().any(|of| of.contains(*value)) || common.contains(*value);
            let values = own.chain(provider.iter().filter(|value| !shared(value)));
            let mut marks: Vec<_> = values.map(|value| (value.clone(), ghost(value))).collect();
            // What contains another one goes first.
            marks.sort_by_key(|(mark, _)| std::cmp::Reverse(mark.len()));
            let customer = self.seeds.literal("public.customers", whose, "id").expect("a customer");
            self.sides.insert(whose, Side { customer: customer.trim_matches('\'').to_owned(), marks });
        }
    }
}

/// Values of a row that name it: ids, texts and bytes, not times, numbers and states.
fn telling(table: &Table, row: &Row) -> BTreeSet<String> {
    let tells = |kind: &str| matches!(kind, "uuid" | "text" | "bytea") || kind.starts_with("character");
    let columns = table.columns.iter().filter(|column| tells(&column.kind));
    let values = columns.filter_map(|column| {
        let literal = row.literals[&column.name]
            .strip_prefix('\'')
            .or_else(|| row.literals[&column.name].strip_prefix("E'"))?;
        let value = literal.strip_suffix('\'')?.replace("\\\\", "\\");
        let is_id = value.parse::<Uuid>().is_ok();
        let is_seeded = value.contains(char::is_numeric) && value.len() >= "PRB0001".len();
        (is_id || is_seeded).then_some(value)
    });
    values.collect()
}

/// The same shape, but of nobody.
fn ghost(value: &str) -> String {
    if value.parse::<Uuid>().is_ok() {
        return Uuid::now_v7().to_string();
    }
    value.replace("probe", "ghost").replace("PRB", "GHO")
}

async fn grants(admin: &Client) -> BTreeMap<(String, String, String), BTreeSet<String>> {
    let sql = "select r.rolname::text, format('%s.%s', n.nspname, c.relname), v.verb, a.attname::text
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
        join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        cross join (values ('insert'), ('update')) v (verb)
        join pg_catalog.pg_roles r on r.rolname in ('authenticated', 'staff')
        where c.relkind in ('r', 'p', 'v') and has_column_privilege(r.oid, c.oid, a.attnum, v.verb)";
    let mut grants: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for row in admin.query(sql, &[]).await.expect("grants") {
        grants.entry((row.get(0), row.get(1), row.get(2))).or_default().insert(row.get(3));
    }
    grants
}

fn settings(folder: &std::path::Path) -> Settings {
    Settings {
        data_dir: folder.to_owned(),
        listen: ([127, 0, 0, 1], 0).into(),
        public_url: None,
        probe_url: None,
        database_url: None,
        admin_database_url: None,
        master_key: None,
        connections_max: 16,
        trusted_proxies: Vec::new(),
        cors_origins: Vec::new(),
        public_channels: false,
        vendor_day_quotas: app::vendors::DayQuotas::default(),
        activity: app::sync::ActivityKept::default(),
        shared_jwt_secret: None,
        log: "warn".to_owned(),
        log_format: LogFormat::Text,
        rest: rest::RestConfig::default(),
        storage: StorageConfig::in_folder(folder.join("files")),
    }
}
