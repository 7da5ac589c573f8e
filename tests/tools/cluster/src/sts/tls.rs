//! A certificate for the stand-in, valid or not, from a CA of its own.

use std::net::IpAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, SanType,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// The kind of certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// A valid certificate.
    Valid,
    /// A certificate for another host.
    WrongHost,
    /// An expired certificate.
    Expired,
    /// A certificate for this name, as well as for the address.
    Named(&'static str),
}

/// An acceptor, and the PEM of the CA that a client has to trust.
pub(crate) fn acceptor(ip: IpAddr, kind: Certificate) -> Result<(TlsAcceptor, String)> {
    let ca_key = KeyPair::generate().context("make the CA's key")?;
    let mut ca_params = params("test CA");
    ca_params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = ca_params.self_signed(&ca_key).context("make the CA")?;
    let issuer = Issuer::from_params(&ca_params, &ca_key);

    let key = KeyPair::generate().context("make the server's key")?;
    let mut leaf = params("sts");
    leaf.subject_alt_names = match kind {
        Certificate::WrongHost => vec![SanType::DnsName("elsewhere.invalid".try_into()?)],
        Certificate::Named(name) => {
            vec![SanType::IpAddress(ip), SanType::DnsName(name.try_into()?)]
        }
        _ => vec![
            SanType::IpAddress(ip),
            SanType::DnsName("localhost".try_into()?),
        ],
    };
    if kind == Certificate::Expired {
        leaf.not_before = rcgen::date_time_ymd(2001, 1, 1);
        leaf.not_after = rcgen::date_time_ymd(2002, 1, 1);
    }
    let leaf = leaf
        .signed_by(&key, &issuer)
        .context("sign the certificate")?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)?;
    Ok((TlsAcceptor::from(Arc::new(config)), ca.pem()))
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
