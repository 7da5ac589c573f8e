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

/// No connection through the proxy.
#[derive(Debug, thiserror::Error)]
#[error("no connection through the proxy-url of KUBECONFIG")]
struct ProxyError(#[source] BoxError);

/// Parses the proxy of a kubeconfig. The message does not repeat the URL, which may hold a password.
pub(super) fn parse_proxy(url: &str) -> Result<Uri, &'static str> {
    let uri: Uri = url
        .parse()
        .map_err(|_| "it is not a URL such as http://proxy.example.com:3128")?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https" | "socks5"), Some(host)) if !host.is_empty() => {
            let authority = uri.authority().map_or("", |authority| authority.as_str());
            let has_port = authority
                .rsplit_once(host)
                .is_some_and(|(_, port)| !port.is_empty());
            if has_port && uri.port_u16().is_none() {
                return Err("its port must be a number of at most 65535");
            }
            Ok(uri)
        }
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
    let Some((username, password)) = login(proxy) else {
        return tunnel;
    };
    let login = Zeroizing::new(format!("{}:{}", *username, *password));
    let login = Zeroizing::new(BASE64_STANDARD.encode(&*login));
    match HeaderValue::try_from(format!("Basic {}", *login)) {
        Ok(header) => tunnel.with_auth(header),
        Err(_) => tunnel,
    }
}

fn socks(proxy: &Uri, connector: HttpConnector) -> SocksV5<HttpConnector> {
    let socks = SocksV5::new(with_port(proxy), connector);
    match login(proxy) {
        Some((username, password)) => socks.with_auth((*username).clone(), (*password).clone()),
        None => socks,
    }
}

/// User name and password in the URL of a proxy. Both are decoded after the colon between them was found.
fn login(proxy: &Uri) -> Option<(Zeroizing<String>, Zeroizing<String>)> {
    let (login, _) = proxy.authority()?.as_str().rsplit_once('@')?;
    let (username, password) = login.split_once(':').unwrap_or((login, ""));
    let decoded = |text: &str| Zeroizing::new(percent_decode_str(text).decode_utf8_lossy().into());
    Some((decoded(username), decoded(password)))
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
        let by_proxy = |error: BoxError| BoxError::from(ProxyError(error));
        match self {
            Self::Direct(direct) => direct
                .call(server)
                .map_ok(MaybeHttpsStream::Http)
                .map_err(BoxError::from)
                .boxed(),
            Self::Http(proxy) => proxy
                .call(server)
                .map_ok(MaybeHttpsStream::Http)
                .map_err(move |error| by_proxy(error.into()))
                .boxed(),
            Self::Https(proxy) => proxy
                .call(server)
                .map_err(move |error| by_proxy(error.into()))
                .boxed(),
            Self::Socks(proxy) => proxy
                .call(server)
                .map_ok(MaybeHttpsStream::Http)
                .map_err(move |error| by_proxy(error.into()))
                .boxed(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn login_of(url: &str) -> Option<(String, String)> {
        let (username, password) = login(&parse_proxy(url).unwrap())?;
        Some(((*username).clone(), (*password).clone()))
    }

    #[test]
    fn a_login_with_escaped_signs_is_decoded_in_two_halves() {
        let found = login_of("socks5://a%3Ab%40c:p%40s%25s%3A%2F@[::1]:1080");
        assert_eq!(found, Some(("a:b@c".to_owned(), "p@s%s:/".to_owned())));
        assert_eq!(
            login_of("http://one@proxy"),
            Some(("one".to_owned(), String::new()))
        );
        assert_eq!(login_of("https://proxy:3128"), None);
    }

    #[test]
    fn what_kubectl_refuses_is_refused_and_not_repeated() {
        for url in [
            "socks5h://u:p@host:1",
            "socks4://host",
            "proxy:3128",
            "http://proxy:99999",
            "http://u:p@proxy:",
            "http://",
            "http://a b",
            "",
        ] {
            let refused = parse_proxy(url).unwrap_err();
            assert!(!refused.contains("u:p"), "{refused}");
        }
    }

    #[test]
    fn a_socks_proxy_has_its_own_default_port() {
        let port = |url: &str| with_port(&url.parse().unwrap()).port_u16();
        assert_eq!(port("socks5://host"), Some(1080));
        assert_eq!(port("socks5://u:p@[::1]:9"), Some(9));
    }
}
