//! Files that the product itself keeps for a customer: background work of that customer, in a bucket that exists.
use bytes::Bytes;
use kernel::id::CustomerId;

use crate::{
    blob::BlobKey,
    bucket::{Bucket, Overwrite},
    error::StorageError,
    name::ObjectName,
    place::Place,
    remove::remove,
    save::{self, Meta, Target},
    state::StorageState,
    who::Who,
};

impl StorageState {
    /// Writes `bytes` under `name`, whose first folder is the customer, over what was there.
    pub async fn keep(
        &self,
        bucket: &str,
        name: &str,
        mime: &str,
        bytes: Vec<u8>,
    ) -> Result<(), StorageError> {
        let (state, who) = (&*self.0, Who::Product);
        let target = Target::find(state, &who, bucket, name).await?;
        let limit = target.bucket.limit_bytes(state);
        let key = BlobKey::new(target.place, state.clock.now());
        let mut body = futures_util::stream::iter([Ok(Bytes::from(bytes))]);
        let stored = state.blobs.put(&key, &mut body, limit).await?;
        let meta = Meta { mime: mime.to_owned(), cache_control: "no-cache".into(), user_metadata: None };
        save::commit(state, &who, &target, &meta, &key, &stored, Overwrite::Replace).await.map(drop)
    }

    /// Removes files of one customer; names that are not there, or of another customer, are passed over.
    pub async fn forget(
        &self,
        bucket: &str,
        customer: CustomerId,
        names: &[String],
    ) -> Result<usize, StorageError> {
        let (state, who) = (&*self.0, Who::Product);
        let bucket = Bucket::of(state, &who, bucket).await?;
        let place = Place::Customer(customer);
        let own = names.iter().filter(|name| {
            ObjectName::parse(name)
                .is_ok_and(|name| Place::of(bucket.kind, &name).is_ok_and(|it| it == place))
        });
        let own: Vec<String> = own.cloned().collect();
        Ok(remove(state, &who, &bucket, &[(place, own)]).await?.len())
    }
}
