//! The requests, as plain as possible: only the metadata of a response are read.

use std::sync::Arc;

use anyhow::{Context, Result};
use futures::Stream;
use http::{Method, Request, header};
use http_body_util::BodyExt;
use kube::{Client, client::Body, core::WatchEvent};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::task::JoinHandle;

const MERGE: &str = "application/merge-patch+json";
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
/// Longer than any measurement.
const WATCH_SECONDS: u32 = 7_200;

/// The part of a response that is read.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Object {
    pub metadata: Metadata,
}

/// Name, UID and version.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    pub name: String,
    pub uid: String,
    pub resource_version: String,
}

/// Objects of one kind in one namespace.
#[derive(Clone)]
pub struct Requests {
    client: Client,
    collection: Arc<str>,
}

impl Requests {
    pub fn secrets(client: &Client, namespace: &str) -> Self {
        Self::at(client, format!("/api/v1/namespaces/{namespace}/secrets"))
    }

    pub fn resources(client: &Client, namespace: &str) -> Self {
        let group = "/apis/awscredentials.dev/v1alpha1";
        let path = format!("{group}/namespaces/{namespace}/staticawscredentials");
        Self::at(client, path)
    }

    fn at(client: &Client, collection: String) -> Self {
        Self {
            client: client.clone(),
            collection: collection.into(),
        }
    }

    pub async fn get(&self, name: &str) -> Result<Object> {
        self.send(Method::GET, &format!("/{name}"), "", Vec::new())
            .await
    }

    pub async fn post(&self, object: &Value) -> Result<Object> {
        let body = serde_json::to_vec(object)?;
        self.send(Method::POST, "", "application/json", body).await
    }

    pub async fn put(&self, name: &str, object: &Value) -> Result<Object> {
        let body = serde_json::to_vec(object)?;
        let path = format!("/{name}");
        self.send(Method::PUT, &path, "application/json", body)
            .await
    }

    /// A merge patch; `name` may include a subresource.
    pub async fn patch(&self, name: &str, patch: &Value) -> Result<Object> {
        let body = serde_json::to_vec(patch)?;
        self.send(Method::PATCH, &format!("/{name}"), MERGE, body)
            .await
    }

    pub async fn delete(&self, name: &str) -> Result<()> {
        let request = self.request(Method::DELETE, &format!("/{name}"), "", Vec::new())?;
        match self.client.request_text(request).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            done => Ok(done.map(drop)?),
        }
    }

    async fn send(&self, method: Method, path: &str, kind: &str, body: Vec<u8>) -> Result<Object> {
        let what = || format!("{method} {}{path}", self.collection);
        let request = self.request(method.clone(), path, kind, body)?;
        self.client.request(request).await.with_context(what)
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: Vec<u8>,
    ) -> Result<Request<Vec<u8>>> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.collection));
        if !kind.is_empty() {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        Ok(request.body(body)?)
    }

    /// The present version of the collection, from which a watch may start.
    pub async fn version(&self) -> Result<String> {
        let list = self.send(Method::GET, "?limit=1", "", Vec::new()).await?;
        Ok(list.metadata.resource_version)
    }

    /// Changes after a version; with `metadata`, only the metadata of the objects.
    pub async fn watch<K>(
        &self,
        metadata: bool,
        version: &str,
    ) -> Result<impl Stream<Item = kube::Result<WatchEvent<K>>> + Send + use<K>>
    where
        K: Clone + DeserializeOwned + Send + 'static,
    {
        let request = self.watching(metadata, version)?;
        Ok(self.client.request_events(request).await?)
    }

    /// A watch whose bytes are read and discarded, so that the bare client has as many watches as the operator.
    pub async fn watch_in_vain(&self, metadata: bool) -> Result<Ignored> {
        let mut body = self.bytes(metadata).await?;
        let requests = self.clone();
        let reading = tokio::spawn(async move {
            loop {
                while let Some(Ok(_)) = body.frame().await {}
                // The API server ends a watch whose client is too slow.
                match requests.bytes(metadata).await {
                    Ok(again) => body = again,
                    Err(_) => return,
                }
            }
        });
        Ok(Ignored(reading))
    }

    async fn bytes(&self, metadata: bool) -> Result<Body> {
        let request = self.watching(metadata, &self.version().await?)?;
        Ok(self.client.send(request.map(Body::from)).await?.into_body())
    }

    fn watching(&self, metadata: bool, version: &str) -> Result<Request<Vec<u8>>> {
        let path = format!(
            "?watch=1&resourceVersion={version}&timeoutSeconds={WATCH_SECONDS}&allowWatchBookmarks=true"
        );
        let mut request = self.request(Method::GET, &path, "", Vec::new())?;
        if metadata {
            let accept = METADATA.parse()?;
            request.headers_mut().insert(header::ACCEPT, accept);
        }
        Ok(request)
    }
}

/// A discarded watch; it ends when this is dropped.
pub struct Ignored(JoinHandle<()>);

impl Drop for Ignored {
    fn drop(&mut self) {
        self.0.abort();
    }
}
