//! What the deployment remembers: settings of tenants, templates, queued work.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::standards::{STANDARDS, Standard};
use crate::graph::tenants::Directory;
use crate::rng::Rng;

/// From so many tenants of customers on, some are in trouble.
const TENANTS_FOR_ODD: usize = 6;
const DAY_S: i64 = 86_400;
/// The template that is there from the start.
pub(crate) const FIRST_TEMPLATE: &str = "6f1c2a40-5d0b-4d53-9f1e-2b7f5c1d9a10";

/// What is wrong with a tenant at this deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trouble {
    #[default]
    None,
    GraphErrors,
    Excluded,
}

/// One tenant at this deployment.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub trouble: Trouble,
    /// `None` for the MSP's own.
    pub access_ends: Option<Timestamp>,
    pub renews: bool,
    /// By `standards.<Name>`.
    pub settings: BTreeMap<String, Value>,
    /// What which template wants: value and template.
    pub expected: BTreeMap<String, (Value, String)>,
}

#[derive(Clone, Debug)]
pub(crate) struct QueuedRun {
    pub id: Uuid,
    pub tenant: Uuid,
    pub template: String,
    pub state: RunState,
    /// It says that it ran, and did nothing.
    pub is_lie: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunState {
    Queued,
    Running,
    Completed,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Mailbox {
    pub is_shared: Option<bool>,
    pub forward_to: Option<String>,
    pub keeps_copy: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Deployment {
    pub tokens: HashMap<String, Timestamp>,
    pub calls: u64,
    pub members: BTreeMap<Uuid, Member>,
    /// By id, as they were sent.
    pub templates: BTreeMap<String, Value>,
    pub runs: Vec<QueuedRun>,
    /// End points whose answer over all tenants is gathered.
    pub gathered: BTreeSet<String>,
    pub mailboxes: BTreeMap<(Uuid, Uuid), Mailbox>,
    /// Domains whose records somebody changed.
    pub guards: BTreeMap<Uuid, super::mail::Guard>,
    pub alerting: super::alerts::Alerting,
    /// Accounts whose second factors, sessions or password were reset, and how often.
    pub resets: BTreeMap<(&'static str, Uuid), u32>,
}

impl Deployment {
    pub fn seeded(directory: &Directory, seed: u64, now: Timestamp) -> Self {
        let mut odd: Vec<(i64, Uuid)> = directory.by_organization.iter().map(|(at, id)| (*at, *id)).collect();
        odd.retain(|(organization, _)| *organization != 1);
        odd.sort_unstable();
        let is_odd = odd.len() + 1 >= TENANTS_FOR_ODD;
        let place = |id: Uuid| odd.iter().position(|(_, it)| *it == id).filter(|_| is_odd);
        let in_days = |days: i64| Timestamp::from_second(now.as_second() + days * DAY_S).unwrap_or(now);
        let mut members = BTreeMap::new();
        for tenant in directory.tenants.values() {
            let (high, low) = tenant.id.as_u64_pair();
            let mut rng = Rng::of(seed ^ high, low ^ 0x6369_7070);
            let place = place(tenant.id);
            let trouble = match place {
                Some(0) => Trouble::GraphErrors,
                Some(1) => Trouble::Excluded,
                _ => Trouble::None,
            };
            let usual = 200 + i64::try_from(rng.below(500)).unwrap_or(0);
            let days = match place {
                Some(2) => 20,
                Some(3) => -5,
                _ => usual,
            };
            let renews = rng.percent(60) && !matches!(place, Some(2 | 3));
            let mut settings = BTreeMap::new();
            let mut expected = BTreeMap::new();
            for standard in &STANDARDS {
                settings.insert(standard.key(), standard.seeded(&mut rng));
                expected.insert(standard.key(), (standard.wanted(), FIRST_TEMPLATE.to_owned()));
            }
            let access_ends = tenant.organization_id.map(|_| in_days(days));
            members.insert(tenant.id, Member { trouble, access_ends, renews, settings, expected });
        }
        let all: serde_json::Map<String, Value> = STANDARDS
            .iter()
            .map(|it| {
                (
                    it.name.to_owned(),
                    json!({"action": [{"label": "Report", "value": "Report"}], "standards": {}}),
                )
            })
            .collect();
        let first = json!({"GUID": FIRST_TEMPLATE, "templateName": "Every tenant", "tenantFilter": [{"label": "*All Tenants", "value": "AllTenants"}],
            "excludedTenants": [], "runManually": false, "standards": all, "updatedAt": now.to_string()});
        let templates = BTreeMap::from([(FIRST_TEMPLATE.to_owned(), first)]);
        let mut deployment = Self { members, templates, ..Self::default() };
        super::mail::seed(directory, &mut deployment);
        deployment
    }

    /// Work goes on when somebody looks: first it is queued, then it runs, then it is done.
    pub fn work(&mut self, tenant: Option<Uuid>) {
        let mut done = Vec::new();
        for run in self.runs.iter_mut().filter(|run| tenant.is_none_or(|it| it == run.tenant)) {
            match run.state {
                RunState::Queued => run.state = RunState::Running,
                RunState::Running => {
                    run.state = RunState::Completed;
                    if !run.is_lie {
                        done.push((run.tenant, run.template.clone()));
                    }
                }
                RunState::Completed => {}
            }
        }
        for (tenant, template) in done {
            self.apply(tenant, &template);
        }
    }

    fn apply(&mut self, tenant: Uuid, template: &str) {
        let Some(standards) = self.templates.get(template).and_then(|it| it["standards"].as_object()) else {
            return;
        };
        let Some(member) = self.members.get_mut(&tenant) else { return };
        for (name, entry) in standards {
            let Some(standard) = Standard::of(name) else { continue };
            let remediates =
                entry["action"].as_array().into_iter().flatten().any(|it| it["value"] == "Remediate");
            let asked = standard.asked(&entry["standards"][name], member.settings.get(&standard.key()));
            if remediates {
                member.settings.insert(standard.key(), asked.clone());
            }
            member.expected.insert(standard.key(), (asked, template.to_owned()));
        }
    }

    /// Somebody changes a setting at the tenant itself.
    pub fn set(&mut self, tenant: Uuid, setting: &str, value: Value) -> Result<(), String> {
        let standard = Standard::of(setting).ok_or_else(|| format!("no standard is called {setting}"))?;
        let member = self.members.get_mut(&tenant).ok_or("no such tenant")?;
        member.settings.insert(standard.key(), value);
        Ok(())
    }

    pub fn truth(&self, directory: &Directory) -> Vec<Value> {
        let mut rows = Vec::new();
        for (id, member) in &self.members {
            let domain = directory.tenants.get(id).map(|tenant| tenant.domain.as_str());
            for (setting, value) in &member.settings {
                rows.push(
                    json!({"tenant_id": id, "default_domain": domain, "setting": setting, "value": value}),
                );
            }
        }
        rows
    }
}
