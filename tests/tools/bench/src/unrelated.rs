//! Secrets that no resource refers to: many, changing, or large.

use std::time::Duration;

use anyhow::Result;
use kube::Client;
use serde_json::{Value, json};

use crate::{
    load::{paced, run_concurrently},
    requests::Requests,
};

/// The API server rejects a Secret with more data than this.
const LARGEST: usize = 1024 * 1024;
/// It also rejects more than this in annotations, names included.
const LARGEST_ANNOTATIONS: usize = 256 * 1024;
/// Concurrent requests for large Secrets: more would exhaust the API server's memory.
const LARGE_AT_ONCE: usize = 4;
/// At most this number of Secrets change.
const CHANGED: usize = 1_000;

/// Unrelated Secrets in a namespace of their own.
#[derive(Clone)]
pub struct Unrelated {
    secrets: Requests,
    count: usize,
    clients: usize,
}

/// A kind of large Secret.
#[derive(Clone, Copy)]
pub enum Large {
    Data,
    Annotations,
}

impl Large {
    pub fn count(self) -> usize {
        match self {
            Self::Data => 300,
            Self::Annotations => 500,
        }
    }

    fn name(self, number: usize) -> String {
        match self {
            Self::Data => format!("large-{number:03}"),
            Self::Annotations => format!("annotated-{number:03}"),
        }
    }

    fn secret(self, number: usize) -> Value {
        let key = "text";
        let (data, annotations) = match self {
            Self::Data => (text(number, LARGEST), String::new()),
            Self::Annotations => (String::new(), text(number, LARGEST_ANNOTATIONS - key.len())),
        };
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": self.name(number), "annotations": { key: annotations } },
            "stringData": { key: data },
        })
    }
}

impl Unrelated {
    pub fn new(client: &Client, namespace: &str, count: usize, clients: usize) -> Self {
        Self {
            secrets: Requests::secrets(client, namespace),
            count,
            clients,
        }
    }

    pub async fn create(&self) -> Result<()> {
        let secrets = self.secrets.clone();
        run_concurrently(self.clients, self.count, move |number| {
            let secrets = secrets.clone();
            async move {
                let secret = json!({
                    "apiVersion": "v1", "kind": "Secret",
                    "metadata": { "name": name(number) },
                    "stringData": { "password": text(number, 32) },
                });
                secrets.post(&secret).await.map(drop)
            }
        })
        .await?;
        Ok(())
    }

    /// Changes Secrets at this rate for this time, and returns the rate that was reached.
    pub async fn change(&self, per_second: usize, span: Duration) -> Result<f64> {
        let seconds = usize::try_from(span.as_secs())?;
        let (total, among) = (per_second * seconds, self.count.clamp(1, CHANGED));
        let secrets = self.secrets.clone();
        let took = paced(self.clients, total, span, move |number| {
            let secrets = secrets.clone();
            async move {
                let patch = json!({ "stringData": { "password": text(number, 32) } });
                secrets.patch(&name(number % among), &patch).await.map(drop)
            }
        })
        .await?;
        Ok(crate::stats::number(total) / took.as_secs_f64())
    }

    pub async fn create_large(&self, large: Large) -> Result<()> {
        let secrets = self.secrets.clone();
        run_concurrently(LARGE_AT_ONCE, large.count(), move |number| {
            let secrets = secrets.clone();
            async move { secrets.post(&large.secret(number)).await.map(drop) }
        })
        .await?;
        Ok(())
    }

    pub async fn delete_large(&self, large: Large) -> Result<()> {
        let secrets = self.secrets.clone();
        run_concurrently(LARGE_AT_ONCE, large.count(), move |number| {
            let secrets = secrets.clone();
            async move { secrets.delete(&large.name(number)).await }
        })
        .await?;
        Ok(())
    }
}

fn name(number: usize) -> String {
    format!("unrelated-{number:05}")
}

/// A text of this length, different for each number.
fn text(number: usize, length: usize) -> String {
    let mut text = format!("{number:09}").repeat(length / 9 + 1);
    text.truncate(length);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_its_length_and_is_of_its_number() {
        assert_eq!(text(7, LARGEST).len(), LARGEST);
        assert_eq!(text(12, 10), "0000000120");
        assert_ne!(text(1, 32), text(2, 32));
    }

    #[test]
    fn large_secrets_are_as_large_as_the_api_server_takes() {
        let secret = Large::Data.secret(3);
        assert_eq!(
            secret["stringData"]["text"].as_str().expect("text").len(),
            LARGEST
        );
        let secret = Large::Annotations.secret(3);
        let annotations = secret["metadata"]["annotations"]
            .as_object()
            .expect("annotations");
        let size: usize = annotations
            .iter()
            .map(|(key, value)| key.len() + value.as_str().expect("text").len())
            .sum();
        assert_eq!(size, LARGEST_ANNOTATIONS);
    }
}
