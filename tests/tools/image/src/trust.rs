//! Mozilla's certificate authorities, as the one file of PEM that programs look for.

use pem::{EncodeConfig, LineEnding, Pem, encode_many_config};
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

/// The path where the operator's TLS library looks first, as on Debian.
pub(crate) const PATH: &str = "etc/ssl/certs/ca-certificates.crt";

/// The crate with the certificates; it is in the image, though not in the binary.
pub(crate) const CRATE: &str = "webpki-root-certs";

/// All certificates, in PEM.
#[must_use]
pub fn roots() -> String {
    let certificates = TLS_SERVER_ROOT_CERTS.iter();
    let certificates: Vec<Pem> = certificates
        .map(|certificate| Pem::new("CERTIFICATE", certificate.as_ref()))
        .collect();
    let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
    encode_many_config(&certificates, config)
}
