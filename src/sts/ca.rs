//! The CA that `--sts-ca-file` names.

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

/// Certificates that a TLS client accepts as roots. The SDK panics on other certificates.
#[derive(Clone, Debug)]
pub struct TrustedCa {
    pem: Vec<u8>,
}

/// Why a file cannot serve as a CA.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// The file is not PEM.
    #[error("it is not PEM: {0}")]
    NotPem(rustls::pki_types::pem::Error),
    /// The file holds no certificate.
    #[error("it holds no certificate")]
    Empty,
    /// A certificate in the file cannot be a root.
    #[error("a certificate in it cannot be trusted as a root: {0}")]
    Unusable(rustls::Error),
}

impl TrustedCa {
    /// Reads one or more certificates.
    ///
    /// # Errors
    /// Fails if there is no certificate, or if one of them cannot be trusted as a root.
    pub fn from_pem(pem: Vec<u8>) -> Result<Self, CaError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(CaError::NotPem)?;
            roots.add(certificate).map_err(CaError::Unusable)?;
        }
        if roots.is_empty() {
            return Err(CaError::Empty);
        }
        Ok(Self { pem })
    }

    pub(super) fn pem(&self) -> &[u8] {
        &self.pem
    }
}
