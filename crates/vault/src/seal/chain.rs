//! The arithmetic of the chains: leaves, Merkle root, links, and the checker that walks them.
use std::collections::HashMap;

use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{FAULTS_MAX, Fault, Head, VerifyReport};
use crate::{EvidencePublicKey, verify_evidence};

pub(crate) type Hash = [u8; 32];

/// What the first link of a chain stands on.
pub(crate) fn genesis() -> String {
    "0".repeat(64)
}

/// Leaves and inner nodes start with different bytes, so that neither passes for the other (RFC 6962, 2.1).
pub(crate) fn leaf(canonical: &str) -> Hash {
    Sha256::new().chain_update([0]).chain_update(canonical).finalize().into()
}

/// Merkle tree hash of RFC 6962, 2.1. `leaves` is never empty.
pub(crate) fn merkle_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [one] => *one,
        many => {
            let (left, right) = many.split_at(many.len().next_power_of_two() / 2);
            Sha256::new()
                .chain_update([1])
                .chain_update(merkle_root(left))
                .chain_update(merkle_root(right))
                .finalize()
                .into()
        }
    }
}

/// One row of `audit.seals`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Link {
    pub customer_id: Uuid,
    pub seq: i64,
    pub previous_hash: String,
    pub merkle_root: String,
    pub hash: String,
    pub rows: i32,
    pub signature: String,
    pub key_id: String,
    pub sealed_at: Timestamp,
}

impl Link {
    /// What the hash is over, and what is signed.
    pub(crate) fn text(&self) -> String {
        format!(
            "obera.audit.link.v1\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n",
            self.customer_id,
            self.seq,
            self.previous_hash,
            self.merkle_root,
            self.rows,
            self.key_id,
            self.sealed_at.as_microsecond()
        )
    }

    pub(crate) fn computed_hash(&self) -> String {
        hex::encode(Sha256::digest(self.text()))
    }
}

/// A row of a link: its position and its leaf.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaf {
    pub position: i32,
    pub hash: Hash,
}

/// Walks links in the order (chain, seq) and collects what does not hold.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    keys: HashMap<String, String>,
    anchors: Vec<Head>,
    chain: Option<Chain>,
    report: VerifyReport,
}

#[derive(Debug)]
struct Chain {
    head: Head,
    is_broken: bool,
}

impl Checker {
    pub(crate) fn new(keys: Vec<EvidencePublicKey>, anchors: &[Head]) -> Self {
        let keys = keys.into_iter().map(|key| (key.key_id, key.public_key)).collect();
        Self { keys, anchors: anchors.to_vec(), ..Self::default() }
    }

    pub(crate) fn fault(&mut self, customer_id: Uuid, seq: i64, what: impl Into<String>) {
        if self.report.faults.len() < FAULTS_MAX {
            self.report.faults.push(Fault { customer_id, seq, what: what.into() });
        }
    }

    /// Judges the next link. `leaves` are its rows by position.
    pub(crate) fn link(&mut self, link: &Link, leaves: &[Leaf]) {
        if self.chain.as_ref().is_none_or(|chain| chain.head.customer_id != link.customer_id) {
            self.end_chain();
            let head = Head { customer_id: link.customer_id, seq: 0, hash: genesis() };
            if self.report.heads.iter().any(|known| known.customer_id == link.customer_id) {
                self.fault(link.customer_id, link.seq, "the links of this chain are not together");
            }
            self.chain = Some(Chain { head, is_broken: false });
        }
        self.report.links += 1;
        self.report.rows += u64::try_from(leaves.len()).unwrap_or(0);
        if !self.report.keys.contains(&link.key_id) {
            self.report.keys.push(link.key_id.clone());
        }
        let Some(mut chain) = self.chain.take() else { return };
        if !chain.is_broken
            && let Err(what) = self.judge(&chain.head, link, leaves)
        {
            chain.is_broken = true;
            self.fault(link.customer_id, link.seq, what);
        }
        chain.head.seq = link.seq;
        chain.head.hash.clone_from(&link.hash);
        self.chain = Some(chain);
    }

    fn judge(&self, head: &Head, link: &Link, leaves: &[Leaf]) -> Result<(), String> {
        if link.seq != head.seq + 1 {
            return Err(format!(
                "link {} is missing: the chain goes on with link {}",
                head.seq + 1,
                link.seq
            ));
        }
        if link.previous_hash != head.hash {
            return Err("the link does not stand on the one before it".into());
        }
        let known = |anchor: &&Head| anchor.customer_id == link.customer_id && anchor.seq == link.seq;
        if self.anchors.iter().find(known).is_some_and(|anchor| anchor.hash != link.hash) {
            return Err("the link is not the one that was known before".into());
        }
        if link.computed_hash() != link.hash {
            return Err("the link was changed: its hash is not the hash of its content".into());
        }
        let Some(key) = self.keys.get(&link.key_id) else {
            return Err(format!("the link is signed with the key {}, which is not one of ours", link.key_id));
        };
        if !verify_evidence(key, link.text().as_bytes(), &link.signature) {
            return Err("the signature of the link is not valid".into());
        }
        for (expected, row) in (0..).zip(leaves) {
            if row.position != expected {
                return Err(format!("row {expected} of {} is missing or out of order", link.rows));
            }
        }
        if usize::try_from(link.rows) != Ok(leaves.len()) {
            return Err(format!("the link covers {} rows, {} are there", link.rows, leaves.len()));
        }
        let hashes: Vec<Hash> = leaves.iter().map(|row| row.hash).collect();
        if hex::encode(merkle_root(&hashes)) != link.merkle_root {
            return Err("a row of this link was changed or replaced".into());
        }
        Ok(())
    }

    fn end_chain(&mut self) {
        if let Some(chain) = self.chain.take() {
            self.report.heads.push(chain.head);
        }
    }

    pub(crate) fn finish(mut self) -> VerifyReport {
        self.end_chain();
        for anchor in std::mem::take(&mut self.anchors) {
            let last = self
                .report
                .heads
                .iter()
                .find(|head| head.customer_id == anchor.customer_id)
                .map_or(0, |head| head.seq);
            if last < anchor.seq {
                self.fault(
                    anchor.customer_id,
                    last + 1,
                    format!("link {} was known before; the chain now ends at {last}", anchor.seq),
                );
            }
        }
        self.report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u8) -> Vec<Hash> {
        (0..count).map(|n| leaf(&n.to_string())).collect()
    }

    #[test]
    fn the_tree_of_rfc_6962() {
        let pair = |left: Hash, right: Hash| -> Hash {
            Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
        };
        let l = leaves(7);
        assert_eq!(merkle_root(&l[..1]), l[0]);
        assert_eq!(merkle_root(&l[..3]), pair(pair(l[0], l[1]), l[2]));
        let left = pair(pair(l[0], l[1]), pair(l[2], l[3]));
        assert_eq!(merkle_root(&l), pair(left, pair(pair(l[4], l[5]), l[6])));
    }

    #[test]
    fn every_change_of_order_or_number_changes_the_root() {
        let root = merkle_root(&leaves(6));
        let mut swapped = leaves(6);
        swapped.swap(1, 4);
        assert_ne!(merkle_root(&swapped), root);
        assert_ne!(merkle_root(&leaves(5)), root);
        let mut doubled = leaves(6);
        doubled.push(doubled[5]);
        assert_ne!(merkle_root(&doubled), root);
    }
}
