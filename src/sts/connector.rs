//! The HTTP client of the SDK, with its pool of connections.

use std::{sync::Mutex, time::Duration};

use aws_smithy_http_client::{
    Connector,
    proxy::ProxyConfig,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode::Ring},
};
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnectorSettings, SharedHttpConnector},
    runtime_components::RuntimeComponents,
};

use super::{
    Proxy, TrustedCa,
    body::SizeLimitedHttpClient,
    proxy::{Login, ProxyError},
};
use crate::domain::lock::lock;

/// The time limit of a connection, including TLS.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// One pool of connections for all calls, replaced when the login of the proxy changes.
#[derive(Debug)]
pub(super) struct Connections {
    settings: HttpConnectorSettings,
    ca: Option<TrustedCa>,
    proxy: Option<Proxy>,
    current: Mutex<PooledConnector>,
}

#[derive(Debug)]
struct PooledConnector {
    connector: SharedHttpConnector,
    login: Option<Login>,
}

/// A connector with a pool of its own that uses no proxy and leaves the size of a reply to the caller.
pub(crate) fn direct_connector(ca: Option<&TrustedCa>) -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .build();
    SharedHttpConnector::new(connector(&settings, ca, None))
}

impl Connections {
    pub(super) fn new(
        settings: HttpConnectorSettings,
        ca: Option<TrustedCa>,
        proxy: Option<Proxy>,
    ) -> Result<Self, ProxyError> {
        let login = proxy.as_ref().map(Proxy::login).transpose()?.flatten();
        let current = build_connector(&settings, ca.as_ref(), proxy.as_ref(), login)?;
        Ok(Self {
            settings,
            ca,
            proxy,
            current: Mutex::new(current),
        })
    }

    /// Replaces the connector if the login has changed. A login that cannot be read, as during an update of
    /// its Secret, leaves the connector in use.
    fn renew(&self, proxy: &Proxy, current: &mut PooledConnector) {
        let login = match proxy.login() {
            Ok(login) if login == current.login => return,
            Ok(login) => login,
            Err(error) => {
                let error = crate::error::chain(&error);
                tracing::warn!(error, "--sts-proxy: the previous login stays in use");
                return;
            }
        };
        match build_connector(&self.settings, self.ca.as_ref(), Some(proxy), login) {
            Ok(renewed) => *current = renewed,
            Err(error) => tracing::warn!(%error, "--sts-proxy: its new login cannot be used"),
        }
    }
}

impl HttpClient for Connections {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let mut current = lock(&self.current);
        if let Some(proxy) = &self.proxy {
            self.renew(proxy, &mut current);
        }
        current.connector.clone()
    }
}

fn build_connector(
    settings: &HttpConnectorSettings,
    ca: Option<&TrustedCa>,
    proxy: Option<&Proxy>,
    login: Option<Login>,
) -> Result<PooledConnector, ProxyError> {
    let config = proxy.map(|proxy| proxy.config(login.as_ref()));
    let connector = connector(settings, ca, config.transpose()?);
    let connector = SharedHttpConnector::new(SizeLimitedHttpClient::new(connector));
    Ok(PooledConnector { connector, login })
}

fn connector(
    settings: &HttpConnectorSettings,
    ca: Option<&TrustedCa>,
    proxy: Option<ProxyConfig>,
) -> Connector {
    let mut tls = TlsContext::builder();
    if let Some(ca) = ca {
        tls = tls.with_trust_store(TrustStore::empty().with_pem_certificate(ca.pem()));
    }
    // `build` is fallible by its signature only: the crate never returns an error here.
    let tls = tls.build().unwrap_or_default();
    let mut connector = Connector::builder()
        .tls_provider(Provider::Rustls(Ring))
        .tls_context(tls)
        .connector_settings(settings.clone());
    if let Some(proxy) = proxy {
        connector = connector.proxy_config(proxy);
    }
    connector.build()
}
