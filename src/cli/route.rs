//! The way to the API server: direct, or through the proxy that a kubeconfig names. The environment has no say.

use std::task::{Context, Poll};

use axum::http::{HeaderValue, Uri};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures::{FutureExt, TryFutureExt, future::BoxFuture};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{
    client::legacy::connect::{
        HttpConnector,
        proxy::{SocksV5, Tunnel},
    },
    rt::TokioIo,
};
use kube::{Config, client::ConfigExt};
use percent_encoding::percent_decode_str;
use tokio::net::TcpStream;
use tower::{BoxError, Service};
use zeroize::Zeroizing;

/// The port of a SOCKS proxy whose URL has none.
const SOCKS_PORT: u16 = 1080;

/// Makes connections to the API server. One type for every way, since each type of connection is a client of its own
/// in the program.
#[derive(Clone)]
pub(super) enum Route {
    Direct(HttpConnector),
    Http(Tunnel<HttpConnector>),
    Https(Tunnel<HttpsConnector<HttpConnector>>),
    Socks(SocksV5<HttpConnector>),
}

/// Parses the proxy of a kubeconfig. The message does not repeat the URL, which may hold a password.
pub(super) fn parse_proxy(url: &str) -> Result<Uri, &'static str> {
    let uri: Uri = url
        .parse()
        .map_err(|_| "it is not a URL such as http://proxy.example.com:3128")?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https" | "socks5"), Some(host)) if !host.is_empty() => Ok(uri),
        _ => Err("it must begin with http://, https:// or socks5://, and name a host"),
    }
}

impl Route {
    /// The way that a configuration names.
    ///
    /// # Errors
    /// The certificates of the configuration cannot be used.
    pub fn new(config: &Config) -> kube::Result<Self> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        let Some(proxy) = &config.proxy_url else {
            return Ok(Self::Direct(connector));
        };
        Ok(match proxy.scheme_str() {
            Some("https") => {
                let connector = config.rustls_https_connector_with_connector(connector)?;
                Self::Https(tunnel(proxy, connector))
            }
            Some("socks5") => Self::Socks(socks(proxy, connector)),
            _ => Self::Http(tunnel(proxy, connector)),
        })
    }
}

fn tunnel<C>(proxy: &Uri, connector: C) -> Tunnel<C> {
    let tunnel = Tunnel::new(proxy.clone(), connector);
    let Some(login) = login(proxy) else {
        return tunnel;
    };
    let login = Zeroizing::new(BASE64_STANDARD.encode(&login));
    match HeaderValue::try_from(format!("Basic {}", *login)) {
        Ok(header) => tunnel.with_auth(header),
        Err(_) => tunnel,
    }
}

fn socks(proxy: &Uri, connector: HttpConnector) -> SocksV5<HttpConnector> {
    let socks = SocksV5::new(with_port(proxy), connector);
    let Some(login) = login(proxy) else {
        return socks;
    };
    let login = String::from_utf8_lossy(&login);
    let (username, password) = login.split_once(':').unwrap_or((&login, ""));
    socks.with_auth(username.to_owned(), password.to_owned())
}

/// User name and password in the URL of a proxy, decoded, with a colon in between.
fn login(proxy: &Uri) -> Option<Zeroizing<Vec<u8>>> {
    let (login, _) = proxy.authority()?.as_str().rsplit_once('@')?;
    Some(Zeroizing::new(percent_decode_str(login).collect()))
}

/// `HttpConnector` takes port 80 for every scheme but https.
fn with_port(proxy: &Uri) -> Uri {
    let host = proxy.host().unwrap_or_default();
    let port = proxy.port_u16().unwrap_or(SOCKS_PORT);
    let uri = format!("socks5://{host}:{port}").parse();
    uri.unwrap_or_else(|_| proxy.clone())
}

impl Service<Uri> for Route {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self {
            Self::Direct(direct) => direct.poll_ready(context).map_err(BoxError::from),
            Self::Http(proxy) => proxy.poll_ready(context).map_err(BoxError::from),
            Self::Https(proxy) => proxy.poll_ready(context).map_err(BoxError::from),
            Self::Socks(proxy) => proxy.poll_ready(context).map_err(BoxError::from),
        }
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        match self {
            Self::Direct(direct) => direct
                .call(server)
                .map_ok(MaybeHttpsStream::Http)
                .map_err(BoxError::from)
                .boxed(),
            Self::Http(proxy) => proxy
                .call(server)
                .map_ok(MaybeHttpsStream::Http)
                .map_err(BoxError::from)
                .boxed(),
            Self::Https(proxy) => proxy.call(server).map_err(BoxError::from).boxed(),
            Self::Socks(proxy) => proxy
                .call(server)
                .map_ok(MaybeHttpsStream::Http)
                .map_err(BoxError::from)
                .boxed(),
        }
    }
}
