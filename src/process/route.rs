//! How STS is reached, as the command lines of `run` and `check` configure it.

use std::path::{Path, PathBuf};

use super::ProcessError;
use crate::{
    args::{RunArgs, check::CheckArgs},
    region::Variant,
    sts::{self, Endpoint, LoginFiles, Proxy, ProxyUrl, Route, TrustedCa},
};

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
pub(super) fn of_run(args: &RunArgs) -> Result<sts::Client, ProcessError> {
    client(&flags!(args))
}

/// The STS client of `check`.
///
/// # Errors
/// A file that a flag names cannot be used.
pub fn of_check(args: &CheckArgs) -> Result<sts::Client, ProcessError> {
    client(&flags!(args))
}

fn client(flags: &Flags<'_>) -> Result<sts::Client, ProcessError> {
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
fn trusted_ca(path: &Path) -> Result<TrustedCa, ProcessError> {
    let pem = std::fs::read(path).map_err(|error| ProcessError::ReadCa(path.into(), error))?;
    TrustedCa::from_pem(pem).map_err(|error| ProcessError::Ca(path.into(), error))
}
