//! The client of STS, as the command lines of `run` and `check` configure it.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    cli::args::{RunArgs, check::CheckArgs},
    domain::region::Variant,
    sts::{self, CaError, Endpoint, LoginFiles, Proxy, ProxyError, ProxyUrl, Route, TrustedCa},
};

/// Why there is no client of STS.
#[derive(Debug, thiserror::Error)]
pub enum StsClientError {
    /// The CA file cannot be read.
    #[error("--sts-ca-file: {} cannot be read", .0.display())]
    ReadCa(PathBuf, #[source] io::Error),
    /// The content of the CA file.
    #[error("--sts-ca-file: {} cannot be used", .0.display())]
    Ca(PathBuf, #[source] CaError),
    /// The proxy.
    #[error("--sts-proxy: it cannot be used")]
    Proxy(#[from] ProxyError),
}

/// The flags about STS.
struct Flags<'a> {
    endpoint: Option<&'a Endpoint>,
    variant: Option<Variant>,
    ca_file: Option<&'a Path>,
    proxy: Option<&'a ProxyUrl>,
    username_file: Option<&'a PathBuf>,
    password_file: Option<&'a PathBuf>,
}

/// The flags of either command line: those of `run` have environment variables too, so the two share no type.
macro_rules! flags {
    ($args:expr) => {
        Flags {
            endpoint: $args.sts_endpoint.as_ref(),
            variant: $args.sts_variant,
            ca_file: $args.sts_ca_file.as_deref(),
            proxy: $args.sts_proxy.as_ref(),
            username_file: $args.sts_proxy_username_file.as_ref(),
            password_file: $args.sts_proxy_password_file.as_ref(),
        }
    };
}

/// The STS client of `run`.
pub(super) fn of_run(args: &RunArgs) -> Result<sts::Client, StsClientError> {
    client(&flags!(args))
}

/// The STS client of `check`.
///
/// # Errors
/// A file that a flag names cannot be used.
pub fn of_check(args: &CheckArgs) -> Result<sts::Client, StsClientError> {
    client(&flags!(args))
}

fn client(flags: &Flags<'_>) -> Result<sts::Client, StsClientError> {
    let login = flags.username_file.zip(flags.password_file);
    let login = login.map(|(username, password)| LoginFiles {
        username: username.clone(),
        password: password.clone(),
    });
    let proxy = flags.proxy.map(|url| Proxy {
        url: url.clone(),
        login,
    });
    let route = Route {
        endpoint: flags.endpoint.cloned(),
        variant: flags.variant,
        ca: flags.ca_file.map(trusted_ca).transpose()?,
        proxy,
    };
    Ok(sts::Client::new(route)?)
}

/// Reads the file that `--sts-ca-file` names.
fn trusted_ca(path: &Path) -> Result<TrustedCa, StsClientError> {
    let pem = std::fs::read(path).map_err(|error| StsClientError::ReadCa(path.into(), error))?;
    TrustedCa::from_pem(pem).map_err(|error| StsClientError::Ca(path.into(), error))
}
