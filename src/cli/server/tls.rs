//! The certificate of /metrics, whose issuer renews the files while the process runs.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use crate::{domain::lock::lock, error::chain};

/// Files are read again for the first connection after this time.
const LASTS: Duration = Duration::from_mins(1);

/// Why certificate and key cannot be used. The text names a file and nothing in it.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate file is not PEM.
    #[error("--metrics-tls-cert-file: {0}: no certificates in PEM")]
    Certificates(PathBuf, #[source] rustls::pki_types::pem::Error),
    /// The certificate file holds no certificate.
    #[error("--metrics-tls-cert-file: {0}: it holds no certificate")]
    NoCertificate(PathBuf),
    /// The key file holds no private key in PEM.
    #[error("--metrics-tls-key-file: {0}: no private key in PEM")]
    Key(PathBuf, #[source] rustls::pki_types::pem::Error),
    /// Certificate and key do not match, or are of an unknown kind.
    #[error("--metrics-tls-key-file: {0}: it cannot be used with the certificate")]
    Unfit(PathBuf, #[source] rustls::Error),
}

/// Certificate and key in two files.
pub struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    read: Mutex<(TlsAcceptor, Instant)>,
}

impl Certificate {
    /// Reads both files.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let acceptor = acceptor(certificate, key)?;
        Ok(Self {
            chain: certificate.to_owned(),
            key: key.to_owned(),
            read: Mutex::new((acceptor, Instant::now())),
        })
    }

    /// Accepts TLS with the current certificate. If the files cannot be used, as between the renewal of one and that
    /// of the other, the previous certificate stays.
    #[must_use]
    pub fn acceptor(&self) -> TlsAcceptor {
        let mut read = lock(&self.read);
        if read.1.elapsed() >= LASTS {
            read.1 = Instant::now();
            match acceptor(&self.chain, &self.key) {
                Ok(acceptor) => read.0 = acceptor,
                Err(error) => {
                    let error = chain(&error);
                    tracing::warn!(error, "the previous certificate of /metrics stays in use");
                }
            }
        }
        read.0.clone()
    }
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let refused = |error| TlsError::Certificates(certificate.to_owned(), error);
    let all = CertificateDer::pem_file_iter(certificate).map_err(refused)?;
    let all = all.collect::<Result<Vec<_>, _>>().map_err(refused)?;
    if all.is_empty() {
        return Err(TlsError::NoCertificate(certificate.to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key);
    let private = private.map_err(|error| TlsError::Key(key.to_owned(), error))?;
    let unfit = |error| TlsError::Unfit(key.to_owned(), error);
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unfit)?
        .with_no_client_auth()
        .with_single_cert(all, private)
        .map_err(unfit)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
