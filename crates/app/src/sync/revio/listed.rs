//! One list of the vendor against what is filed of it: a fall is read again, what a complete list lacks is asked for by id, and what is
//! too much to be asked is held until a person accepts it.
use std::collections::{BTreeMap, HashMap, HashSet};

use connector_api::{Fact, VendorError, Walk};
use domain::estate;
use kernel::id::CustomerId;
use store::{
    billing::Filed,
    sync::{Part, SyncState},
};

use super::{
    RevIo, absent,
    accounts::rows_pages,
    filing::{ByCustomer, Mapping},
};
use crate::sync::{
    confirm::may_ask,
    context::Cx,
    error::{PartEnd, SyncError, is_worth_repeating, trouble},
    run::PartName,
};

/// What is filed of one list, and how its rows name themselves and their account.
pub(super) struct Listed<'a, T> {
    pub part: PartName,
    pub filed: &'a [Filed],
    pub id: fn(&T) -> i64,
    pub account: fn(&T) -> i64,
}

/// A reading, and why it is not believed although it was repeated.
pub(super) struct Reading<T> {
    pub walk: Walk<T>,
    doubt: Option<String>,
}

/// What a reading came to.
pub(super) struct Settled<T> {
    /// What was listed, and what was not and is there all the same.
    pub items: Vec<T>,
    /// The vendor confirmed it by id.
    pub gone: ByCustomer,
    pub end: PartEnd,
}

impl<T> Settled<T> {
    pub fn is_complete(&self) -> bool {
        self.end.state == SyncState::Complete
    }
}

impl<T: Send + Sync> Listed<'_, T> {
    /// `list`: the whole list; it is walked a second time where the first is doubted.
    pub async fn read<W>(
        &self,
        cx: &Cx<'_, RevIo>,
        part: &Part,
        list: impl Fn() -> W + Sync,
    ) -> Result<Reading<T>, SyncError>
    where
        W: Future<Output = Walk<T>> + Send,
    {
        let mut walk = list().await;
        let mut doubt = self.doubt(&walk);
        if part.reads < 2
            && let Some(doubted) = &doubt
        {
            cx.read_again(self.part, None, &trouble("suspect", doubted)).await?;
            walk = list().await;
            doubt = self.doubt(&walk);
        }
        Ok(Reading { walk, doubt })
    }

    /// Why this reading should be repeated before anything is made of it.
    fn doubt(&self, walk: &Walk<T>) -> Option<String> {
        if is_worth_repeating(&walk.completeness) {
            return Some(walk.completeness.to_string());
        }
        if !walk.completeness.is_complete() {
            return None;
        }
        let seen = self.ids(&walk.items);
        let mut of_customers: BTreeMap<CustomerId, (u64, u64)> = BTreeMap::new();
        let mut total = (0, 0);
        for row in self.filed {
            let left = u64::from(seen.contains(&row.external_id));
            for sum in [of_customers.entry(row.customer).or_default(), &mut total] {
                *sum = (sum.0 + 1, sum.1 + left);
            }
        }
        let rows = self.part.as_str();
        if estate::is_suspect(total.0, total.1) {
            return Some(format!("{rows} fell from {} to {}", total.0, total.1));
        }
        let fell = of_customers.iter().find(|(_, (then, now))| estate::is_suspect(*then, *now));
        fell.map(|(id, (then, now))| format!("{rows} of customer {id} fell from {then} to {now}"))
    }

    /// Only a complete reading asks, so that only it finds anything gone.
    pub async fn settle<Asked>(
        &self,
        cx: &Cx<'_, RevIo>,
        reading: Reading<T>,
        read: impl Fn(i64) -> Asked + Sync,
    ) -> Result<Settled<T>, SyncError>
    where
        Asked: Future<Output = Result<Fact<T>, VendorError>> + Send,
    {
        let Reading { walk, doubt } = reading;
        let pages = walk.pages.min(rows_pages(walk.items.len()));
        let end = PartEnd::of_walk(&walk.completeness, pages);
        let mut settled = Settled { items: walk.items, gone: ByCustomer::new(), end };
        if !walk.completeness.is_complete() {
            return Ok(settled);
        }
        let seen = self.ids(&settled.items);
        let lacking: Vec<Filed> =
            self.filed.iter().filter(|it| !seen.contains(&it.external_id)).cloned().collect();
        let most = may_ask(cx, self.part).await?;
        if let Some(doubt) = doubt
            && lacking.len() > most
        {
            cx.begin_asking(self.part, lacking.len()).await?;
            settled.end = PartEnd::suspect(&format!(
                "{doubt} in two readings; {} {} are too many to ask for one by one, none was taken for gone",
                lacking.len(),
                self.part.as_str()
            ));
            return Ok(settled);
        }
        let id = |it: &Filed| it.external_id.parse().ok();
        let answers = absent::ask(cx, self.part, lacking, most, id, read).await?;
        settled.end = answers.end(self.part.as_str());
        settled.items.extend(answers.there.into_iter().map(|fact| fact.value));
        for row in answers.gone {
            settled.gone.entry(row.customer).or_default().push(row.external_id);
        }
        Ok(settled)
    }

    /// Rows that are filed under a customer who is not theirs any more.
    pub fn moved(&self, mapping: &Mapping, items: &[T]) -> ByCustomer {
        let places: HashMap<&str, CustomerId> =
            self.filed.iter().map(|it| (it.external_id.as_str(), it.customer)).collect();
        let mut moved = ByCustomer::new();
        for item in items {
            let id = (self.id)(item).to_string();
            if let Some(place) = places.get(id.as_str())
                && mapping.get(&(self.account)(item).to_string()) != Some(place)
            {
                moved.entry(*place).or_default().push(id);
            }
        }
        moved
    }

    fn ids(&self, items: &[T]) -> HashSet<String> {
        items.iter().map(|item| (self.id)(item).to_string()).collect()
    }
}
