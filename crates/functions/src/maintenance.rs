use app::maintenance::{self, Start};
use garde::Validate;
use kernel::{
    ApiError,
    id::{AlertId, CustomerId, DeviceId, RunId},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Call, Function, RateClass};

/// Windows and muted alerts are read through the data API (`device_maintenance_list`, `alert_mute_list`).
#[derive(Debug)]
pub struct Maintenance;

#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Input {
    /// Put devices of one customer into maintenance. One run each; a window mutes once the RMM's own reading proves it.
    Start {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(length(min = 1, max = 50))]
        device_ids: Vec<DeviceId>,
        /// How long, from now: 5 minutes to 7 days.
        #[garde(range(min = 5, max = 10080))]
        minutes: i64,
        #[garde(length(chars, min = 1, max = 500))]
        reason: String,
        /// What the RMM leaves alone meanwhile. Left out: patching and scheduled tasks.
        #[serde(default = "features")]
        #[garde(length(min = 1, max = 3))]
        features: Vec<Feature>,
    },
    /// End it before its time. Alerts that are still true come back.
    End {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(length(min = 1, max = 50))]
        device_ids: Vec<DeviceId>,
    },
    /// Take one alert out of its device's window: it is answered as if it had just been raised.
    Unmute {
        #[garde(skip)]
        customer_id: CustomerId,
        #[garde(skip)]
        alert_id: AlertId,
    },
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    Patching,
    AntivirusScans,
    Tasks,
}

impl From<Feature> for maintenance::Feature {
    fn from(of: Feature) -> Self {
        match of {
            Feature::Patching => Self::Patching,
            Feature::AntivirusScans => Self::AntivirusScans,
            Feature::Tasks => Self::Tasks,
        }
    }
}

fn features() -> Vec<Feature> {
    vec![Feature::Patching, Feature::Tasks]
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Output {
    Start { devices: Vec<Answered> },
    End { devices: Vec<Answered> },
    Unmute { alert_id: AlertId },
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Answered {
    pub device_id: DeviceId,
    pub run_id: Option<RunId>,
    /// Why no run was started for it.
    pub refused: Option<String>,
}

impl Function for Maintenance {
    const NAME: &'static str = "maintenance";
    const SUMMARY: &'static str =
        "Put devices into maintenance, end it early, or take one alert out of its device's window.";
    const PERMISSION: &'static str = "incidents:write";
    const PERMISSIONS: &'static [&'static str] = &["incidents:write"];
    const RATE: RateClass = RateClass::Act;
    const KEPT: &'static str = "Runs that were started stay, and `runs` shows them.";
    type Input = Input;
    type Output = Output;

    fn customer(input: &Input) -> Option<CustomerId> {
        match input {
            Input::Start { customer_id, .. }
            | Input::End { customer_id, .. }
            | Input::Unmute { customer_id, .. } => Some(*customer_id),
        }
    }

    fn example() -> Value {
        json!({
            "action": "start",
            "customer_id": "00000000-0000-7000-8000-000000000001",
            "device_ids": ["00000000-0000-7000-8000-000000000002"],
            "minutes": 120,
            "reason": "The power supply is exchanged.",
            "features": ["patching", "tasks"]
        })
    }

    async fn call(call: &Call, input: Input) -> Result<Output, ApiError> {
        let (services, actor) = (&call.services, &call.actor);
        let (pg, engine, now) = (&services.pg, &services.engine, services.clock.now());
        match input {
            Input::Start { customer_id, device_ids, minutes, reason, features } => {
                let features: Vec<_> = features.into_iter().map(Into::into).collect();
                let order = Start { devices: &device_ids, minutes, reason: &reason, features: &features };
                let started = maintenance::start(pg, engine, actor, customer_id, &order, now).await?;
                Ok(Output::Start { devices: started.into_iter().map(answered).collect() })
            }
            Input::End { customer_id, device_ids } => {
                let ended = maintenance::end(pg, engine, actor, customer_id, &device_ids).await?;
                Ok(Output::End { devices: ended.into_iter().map(answered).collect() })
            }
            Input::Unmute { customer_id, alert_id } => {
                maintenance::unmute(pg, engine, actor, customer_id, alert_id, now).await?;
                Ok(Output::Unmute { alert_id })
            }
        }
    }
}

fn answered(of: maintenance::Started) -> Answered {
    let (run_id, refused) = match of.outcome {
        Ok(run) => (Some(run), None),
        Err(why) => (None, Some(why)),
    };
    Answered { device_id: of.device, run_id, refused }
}
