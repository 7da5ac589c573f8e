//! The proxy that `--sts-proxy` names. Proxy variables of the environment are ignored: without the flag,
//! STS is called directly.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use aws_smithy_http_client::proxy::ProxyConfig;
use axum::http::Uri;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::endpoint::has_valid_port;
use crate::domain::pair::SecretText;

/// The maximum length of a user name or password, in bytes.
const MAX_LENGTH: usize = 4096;

/// The address of a proxy, without user name and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyUrl(Uri);

impl fmt::Display for ProxyUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Parses the address of a proxy.
///
/// # Errors
/// One sentence on what the address must be. The sentence does not repeat `text`, which may hold a password.
pub fn parse_proxy(text: &str) -> Result<ProxyUrl, String> {
    let uri: Uri = text
        .parse()
        .map_err(|_| "it must be a URL such as http://proxy.example.com:3128".to_owned())?;
    let (Some("http" | "https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err("it must begin with http:// or https:// and name a host".to_owned());
    };
    if authority.as_str().contains('@') {
        return Err(
            "it must not hold a user name or password; files hold these: --sts-proxy-username-file and \
             --sts-proxy-password-file"
                .to_owned(),
        );
    }
    if authority.host().is_empty() {
        return Err("it must name a host".to_owned());
    }
    // HTTP clients disagree on the default port of a proxy.
    if authority.port().is_none() || !has_valid_port(authority) {
        return Err("it must end with the proxy's port, such as :3128".to_owned());
    }
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() || text.contains('#') {
        return Err("it must end after the host and port: no path, query or fragment".to_owned());
    }
    Ok(ProxyUrl(uri))
}

/// A proxy, and the files with its login.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// The address of the proxy.
    pub url: ProxyUrl,
    /// The files with user name and password, read again for each call: they change while the process runs.
    pub login: Option<LoginFiles>,
}

/// The paths of the files with user name and password.
#[derive(Clone, Debug)]
pub struct LoginFiles {
    /// The file with the user name.
    pub username: PathBuf,
    /// The file with the password.
    pub password: PathBuf,
}

/// The contents of [`LoginFiles`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Login {
    username: SecretText,
    password: SecretText,
}

/// Why a proxy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// A file that cannot be read.
    #[error("{} cannot be read", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// A file that holds no valid user name or password.
    #[error("{} {}", .0.display(), .1)]
    Content(PathBuf, &'static str),
    /// An address that the HTTP client rejects.
    #[error("the proxy cannot be used")]
    Unusable(#[source] aws_smithy_http_client::proxy::ProxyError),
}

impl Proxy {
    /// Reads user name and password, if files with these are configured.
    pub(super) fn login(&self) -> Result<Option<Login>, ProxyError> {
        let login = self.login.as_ref().map(|files| {
            let username = read_line(&files.username)?;
            // Basic authentication separates user name and password by a colon.
            if username.expose_secret().contains(':') {
                let why = "must hold a user name without a colon";
                return Err(ProxyError::Content(files.username.clone(), why));
            }
            let password = read_line(&files.password)?;
            Ok(Login { username, password })
        });
        login.transpose()
    }

    /// For HTTPS requests only. Plain HTTP requests go to loopback addresses only, and the proxy could read
    /// them.
    pub(super) fn config(&self, login: Option<&Login>) -> Result<ProxyConfig, ProxyError> {
        let config = ProxyConfig::https(self.url.0.clone()).map_err(ProxyError::Unusable)?;
        Ok(match login {
            // The library inserts both into a URL without escaping them.
            Some(Login { username, password }) => config.with_basic_auth(
                utf8_percent_encode(username.expose_secret(), NON_ALPHANUMERIC).to_string(),
                utf8_percent_encode(password.expose_secret(), NON_ALPHANUMERIC).to_string(),
            ),
            None => config,
        })
    }
}

/// The single line of a file, without the line break that editors append.
fn read_line(path: &Path) -> Result<SecretText, ProxyError> {
    let text = fs::read(path).map_err(|error| ProxyError::Read(path.into(), error))?;
    let content = |why| ProxyError::Content(path.into(), why);
    let text = String::from_utf8(text).map_err(|_| content("must hold UTF-8"))?;
    let text = SecretText::new(text.trim_end_matches(['\r', '\n']).to_owned());
    match text.expose_secret() {
        "" => Err(content("is empty")),
        text if text.len() > MAX_LENGTH => Err(content("is too long")),
        text if text.chars().any(char::is_control) => Err(content("must hold one line")),
        _ => Ok(text),
    }
}
