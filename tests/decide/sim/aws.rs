//! AWS: the identities of pairs, and its faults.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use static_aws_credentials::{
    api::{Identity, Reason},
    domain::{
        decide::Awaited,
        pair::KeyPair,
        place::Place,
        region::{Partition, Region},
        verdict::Answer,
    },
};

use super::build::{Pair, universe};

/// A call to STS or to a store.
#[derive(Clone, Debug)]
pub struct Asked {
    pub at: Duration,
    /// The region, or the class and its generation.
    pub region: String,
    pub id: String,
    pub secret: String,
    pub answer: Answer,
}

/// The state of AWS.
#[derive(Clone, Debug)]
pub struct Aws {
    keys: BTreeMap<String, Pair>,
    inactive: BTreeSet<String>,
    /// The result of every call during an outage.
    pub outage: Option<Reason>,
    /// Regions that no account has enabled: every key is unknown there.
    pub disabled: BTreeSet<String>,
    /// A proxy changes requests, so that every signature is wrong.
    pub breaks_signatures: bool,
    /// Inconclusive results, by access key ID or by region.
    pub silent: BTreeMap<String, Reason>,
    /// Keys that STS calls expired.
    pub expired: BTreeSet<String>,
    /// The account in every answer of an endpoint that is not AWS.
    pub canned: Option<String>,
    /// Why calls get no answer for now.
    pub awaits: Option<Awaited>,
    /// All calls.
    pub asked: Vec<Asked>,
}

impl Aws {
    /// Every pair is active.
    pub fn new() -> Self {
        let keys = universe().map(|pair| (pair.id.clone(), pair));
        Self {
            keys: keys.into(),
            inactive: BTreeSet::new(),
            outage: None,
            disabled: BTreeSet::new(),
            breaks_signatures: false,
            silent: BTreeMap::new(),
            expired: BTreeSet::new(),
            canned: None,
            awaits: None,
            asked: Vec::new(),
        }
    }

    /// Deactivates a key. A key that AWS does not know yet looks the same.
    pub fn deactivate(&mut self, pair: &Pair) {
        self.inactive.insert(pair.id.clone());
    }

    /// The access key IDs that are not active.
    pub fn inactive(&self) -> &BTreeSet<String> {
        &self.inactive
    }

    /// Activates a key again.
    pub fn activate(&mut self, pair: &Pair) {
        self.inactive.remove(&pair.id);
    }

    /// Answers a call, and records it.
    pub fn ask(&mut self, at: Duration, place: &Place, pair: &KeyPair) -> Answer {
        let id = pair.access_key_id.expose_secret();
        let secret = pair.secret_access_key.expose_secret();
        let answer = match place {
            Place::Sts(region) => self.answer(region, id, secret),
            Place::Store(store) => self.answer_of_store(&store.class, id, secret),
        };
        self.asked.push(Asked {
            at,
            region: place.key(),
            id: id.to_owned(),
            secret: secret.to_owned(),
            answer: answer.clone(),
        });
        answer
    }

    /// A store knows the active pairs, and names no identity.
    fn answer_of_store(&self, class: &str, id: &str, secret: &str) -> Answer {
        let silent = [id, class];
        let silent = silent.iter().find_map(|of| self.silent.get(*of).copied());
        if let Some(reason) = self.outage.or(silent) {
            return match reason {
                Reason::EndpointUnreachable | Reason::EndpointUnavailable => Answer::Outage(reason),
                _ => Answer::Undetermined(reason),
            };
        }
        match self.keys.get(id).filter(|_| !self.inactive.contains(id)) {
            None => Answer::UnknownKey,
            Some(key) if key.secret != secret || self.breaks_signatures => {
                Answer::SignatureMismatch
            }
            Some(_) => Answer::Authenticated,
        }
    }

    fn answer(&self, region: &Region, id: &str, secret: &str) -> Answer {
        let silent = [id, region.as_str()];
        let silent = silent.iter().find_map(|of| self.silent.get(*of).copied());
        if let Some(reason) = self.outage.or(silent) {
            return match reason {
                Reason::StsUnreachable | Reason::StsUnavailable => Answer::Outage(reason),
                _ => Answer::Undetermined(reason),
            };
        }
        let key = self.keys.get(id).filter(|key| {
            let partition = Partition::of_arn(&key.arn);
            !self.inactive.contains(id)
                && !self.disabled.contains(region.as_str())
                && partition == Some(region.partition())
        });
        match key {
            None => Answer::UnknownKey,
            Some(_) if self.expired.contains(id) => Answer::Expired,
            Some(key) if key.secret != secret || self.breaks_signatures => {
                Answer::SignatureMismatch
            }
            Some(key) => Answer::Identity(Identity {
                account_id: self
                    .canned
                    .clone()
                    .unwrap_or(format!("{:012}", key.account)),
                arn: key.arn.clone(),
            }),
        }
    }

    /// Whether AWS ever accepted a pair.
    pub fn accepted(&self, id: &str, secret: &str) -> bool {
        self.about(id, secret)
            .any(|asked| is_accepted(&asked.answer))
    }

    /// The times of the first and last rejection of a pair since it was last accepted. A wrong signature does not
    /// count: a proxy may have changed the request.
    pub fn refused(&self, id: &str, secret: &str) -> Option<(Duration, Duration)> {
        let of_pair: Vec<&Asked> = self.about(id, secret).collect();
        let refusals = of_pair
            .iter()
            .rev()
            .take_while(|asked| !is_accepted(&asked.answer))
            .filter(|asked| matches!(asked.answer, Answer::UnknownKey | Answer::Expired));
        let times: Vec<Duration> = refusals.map(|asked| asked.at).collect();
        Some((*times.last()?, *times.first()?))
    }

    fn about(&self, id: &str, secret: &str) -> impl Iterator<Item = &Asked> {
        self.asked
            .iter()
            .filter(move |asked| asked.id == id && asked.secret == secret)
    }
}

fn is_accepted(answer: &Answer) -> bool {
    matches!(answer, Answer::Identity(_) | Answer::Authenticated)
}
