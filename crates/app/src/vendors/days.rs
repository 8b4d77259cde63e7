//! What may be asked of each vendor in a day.
use std::collections::HashMap;

use connector_api::DayQuota;
use store::integrations::Vendor;

/// By vendor. Where a vendor names no limit there is none by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayQuotas(HashMap<Vendor, DayQuota>);

impl Default for DayQuotas {
    fn default() -> Self {
        Self(HashMap::from([
            (Vendor::RevIo, revio::config::DAY),
            (Vendor::SharePoint, graph::quotas::SHAREPOINT_DAY),
        ]))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a vendor, `=`, and a number of at least 100, or `none`")]
pub struct NotAQuota(String);

impl DayQuotas {
    /// Too few for a synchronization and the reserve of people.
    const UNITS_LEAST: u64 = 100;

    pub fn of(&self, vendor: Vendor) -> Option<DayQuota> {
        self.0.get(&vendor).copied()
    }

    /// `revio=100000`, `sharepoint=none`. Of a vendor without a limit of its own, all calls of the connection count.
    pub fn with(mut self, words: &[String]) -> Result<Self, NotAQuota> {
        for word in words {
            let wrong = || NotAQuota(word.clone());
            let (vendor, units) = word.trim().split_once('=').ok_or_else(wrong)?;
            let vendor = Vendor::ALL.into_iter().find(|it| it.as_str() == vendor).ok_or_else(wrong)?;
            let quota = if units == "none" {
                None
            } else {
                let units_max: u64 = units.parse().map_err(|_| wrong())?;
                if units_max < Self::UNITS_LEAST {
                    return Err(wrong());
                }
                let own = match vendor {
                    Vendor::SharePoint => graph::quotas::SHAREPOINT_DAY,
                    _ => revio::config::DAY,
                };
                Some(DayQuota { units_max, ..own })
            };
            self = self.set(vendor, quota);
        }
        Ok(self)
    }

    #[must_use]
    pub fn set(mut self, vendor: Vendor, quota: Option<DayQuota>) -> Self {
        match quota {
            Some(quota) => self.0.insert(vendor, quota),
            None => self.0.remove(&vendor),
        };
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Result<DayQuotas, NotAQuota> {
        DayQuotas::default().with(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn only_vendors_that_name_a_limit_have_one_by_themselves() {
        let quotas = DayQuotas::default();
        let units = |quotas: &DayQuotas, vendor| quotas.of(vendor).map(|quota| quota.units_max);
        assert_eq!(
            (units(&quotas, Vendor::RevIo), units(&quotas, Vendor::SharePoint)),
            (Some(150_000), Some(1_200_000))
        );
        assert_eq!(
            (quotas.of(Vendor::NinjaOne), quotas.of(Vendor::Microsoft), quotas.of(Vendor::Cipp)),
            (None, None, None)
        );
        let other = words(&["revio=5000", "sharepoint=none", " cipp=100"]).unwrap();
        assert_eq!((units(&other, Vendor::RevIo), units(&other, Vendor::SharePoint)), (Some(5_000), None));
        assert_eq!(units(&other, Vendor::Cipp), Some(100));
        for wrong in ["revio", "revio=", "revio=99", "revio=-1", "other=1000", "revio=1e9"] {
            assert!(words(&[wrong]).is_err(), "{wrong}");
        }
    }
}
