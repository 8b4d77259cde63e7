use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use kernel::{Clock, id::WorkflowId};
use pg::{ActorTx, Pg, WorkReason};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    DefinitionError, EvidenceSigner, FlowError, Registry,
    compile::Compiled,
    definition::{Definition, Kind},
};

/// Versions that one process keeps compiled; above this they are read again.
const VERSIONS_KEPT_MAX: usize = 1_000;

const KEEP_WORKFLOW: &str = "insert into public.workflows as w (key, name, description) values ($1, $2, $3)
     on conflict (key) do update set name = excluded.name, description = excluded.description
       where (w.name, w.description) is distinct from (excluded.name, excluded.description)";
const LOCK_WORKFLOW: &str = "select id from public.workflows where key = $1 for update";
const FIND_VERSION: &str =
    "select version from public.workflow_versions where workflow_id = $1 and definition_sha256 = $2";
const ADD_VERSION: &str = "insert into public.workflow_versions (workflow_id, version, definition, definition_sha256)
     select $1, coalesce(max(v.version), 0) + 1, $2, $3 from public.workflow_versions v where v.workflow_id = $1
     returning version";
const READ_VERSION: &str =
    "select definition from public.workflow_versions where workflow_id = $1 and version = $2";

/// The engine of one process: definitions, handlers and the door to data. Clones share everything.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub pg: Pg,
    pub clock: Clock,
    pub registry: Registry,
    pub signer: Arc<dyn EvidenceSigner>,
    current: RwLock<HashMap<String, Current>>,
    versions: RwLock<HashMap<(Uuid, i32), Arc<Compiled>>>,
}

/// The version that new runs of a workflow start with in this process.
#[derive(Clone)]
pub(crate) struct Current {
    pub workflow: WorkflowId,
    pub version: i32,
    pub compiled: Arc<Compiled>,
}

/// Where a definition is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    pub workflow: WorkflowId,
    pub version: i32,
    pub outcome: RegisterOutcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterOutcome {
    /// Its content was not known: a new version.
    New,
    Known,
}

impl Engine {
    pub fn new(pg: Pg, clock: Clock, registry: Registry, signer: Arc<dyn EvidenceSigner>) -> Self {
        let inner =
            Inner { pg, clock, registry, signer, current: RwLock::default(), versions: RwLock::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Validates a definition and stores it as a frozen version if its content is new. Runs that are under way keep the
    /// version they started with. To be called for every workflow at every start: a run is started only with what this
    /// process has registered.
    pub async fn register(&self, definition: &Definition) -> Result<Registered, FlowError> {
        let compiled = Arc::new(Compiled::new(definition)?);
        self.check_handlers(definition)?;
        let tx = self.inner.pg.work_for_provider(WorkReason::Workflow).await?;
        tx.execute(KEEP_WORKFLOW, &[&definition.key, &definition.name, &definition.description]).await?;
        let workflow: Uuid = tx.query_one(LOCK_WORKFLOW, &[&definition.key]).await?.get(0);
        let known = tx.query_opt(FIND_VERSION, &[&workflow, &compiled.sha256]).await?;
        let (version, outcome): (i32, _) = match known {
            Some(row) => (row.get(0), RegisterOutcome::Known),
            None => {
                let json = serde_json::to_value(definition)?;
                let row = tx.query_one(ADD_VERSION, &[&workflow, &json, &compiled.sha256]).await?;
                (row.get(0), RegisterOutcome::New)
            }
        };
        tx.commit().await?;
        let current = Current { workflow: WorkflowId(workflow), version, compiled: Arc::clone(&compiled) };
        write(&self.inner.current).insert(definition.key.clone(), current);
        write(&self.inner.versions).insert((workflow, version), compiled);
        Ok(Registered { workflow: WorkflowId(workflow), version, outcome })
    }

    pub(crate) fn current(&self, key: &str) -> Result<Current, FlowError> {
        read(&self.inner.current).get(key).cloned().ok_or(FlowError::NotFound)
    }

    /// The version a run started with.
    pub(crate) async fn version(
        &self,
        tx: &ActorTx,
        workflow: Uuid,
        version: i32,
    ) -> Result<Arc<Compiled>, FlowError> {
        if let Some(compiled) = self.known_version(workflow, version) {
            return Ok(compiled);
        }
        let stored: Value = tx.query_one(READ_VERSION, &[&workflow, &version]).await?.get(0);
        let definition: Definition = serde_json::from_value(stored)?;
        let compiled = Arc::new(Compiled::new(&definition)?);
        let mut versions = write(&self.inner.versions);
        if versions.len() >= VERSIONS_KEPT_MAX {
            versions.clear();
        }
        versions.insert((workflow, version), Arc::clone(&compiled));
        Ok(compiled)
    }

    pub(crate) fn known_version(&self, workflow: Uuid, version: i32) -> Option<Arc<Compiled>> {
        read(&self.inner.versions).get(&(workflow, version)).cloned()
    }

    fn check_handlers(&self, definition: &Definition) -> Result<(), FlowError> {
        let registry = &self.inner.registry;
        for step in &definition.steps {
            let found = match &step.kind {
                Kind::Task { handler } => registry.find_task(handler).map(drop),
                Kind::Change { handler, .. } => registry.find_change(handler).map(drop),
                Kind::Timer { .. } | Kind::Approval { .. } | Kind::Evidence => Ok(()),
            };
            found.map_err(|error| DefinitionError {
                workflow: definition.key.clone(),
                step: Some(step.key.clone()),
                reason: error.message,
            })?;
        }
        Ok(())
    }
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("registry", &self.inner.registry).finish_non_exhaustive()
    }
}
