//! The certificates of a cluster, from one authority that lives as long as the cluster.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

/// Signs certificates for one cluster and writes them into its directory.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: PathBuf,
}

/// A certificate and its key, as PEM files.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Authority {
    /// Makes a new authority, whose certificate goes into `directory`.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn new(directory: &Path) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "cluster");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let authority = Self {
            issuer,
            directory: directory.to_owned(),
        };
        std::fs::write(authority.certificate(), authority.pem())?;
        Ok(authority)
    }

    /// The file with the authority's own certificate.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.directory.join("ca.crt")
    }

    /// The authority's own certificate.
    #[must_use]
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate with which `user`, a member of `group`, proves itself to the API server.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn client(&self, file: &str, user: &str, group: &str) -> Result<Identity> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, user);
        params
            .distinguished_name
            .push(DnType::OrganizationName, group);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(file, params)
    }

    /// A certificate for a server with these names and addresses.
    ///
    /// # Errors
    /// When a name is invalid, or the files cannot be written.
    pub fn server(&self, file: &str, names: &[String]) -> Result<Identity> {
        let mut params = CertificateParams::new(names)
            .with_context(|| format!("cannot make a certificate for {names:?}"))?;
        params.distinguished_name.push(DnType::CommonName, file);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(file, params)
    }

    fn issue(&self, file: &str, mut params: CertificateParams) -> Result<Identity> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let identity = Identity {
            certificate: self.directory.join(format!("{file}.crt")),
            key: self.directory.join(format!("{file}.key")),
        };
        std::fs::write(&identity.certificate, certificate.pem())?;
        std::fs::write(&identity.key, key.serialize_pem())?;
        Ok(identity)
    }
}

/// Writes a key pair without a certificate, such as the one that signs service account tokens: (private, public).
///
/// # Errors
/// When it cannot be written.
pub fn signing_pair(directory: &Path, name: &str) -> Result<(PathBuf, PathBuf)> {
    let pair = KeyPair::generate()?;
    let private = directory.join(format!("{name}.key"));
    let public = directory.join(format!("{name}.pub"));
    std::fs::write(&private, pair.serialize_pem())?;
    std::fs::write(&public, pair.public_key_pem())?;
    Ok((private, public))
}
