//! The certificate authorities, as the operator's TLS library reads them.

use rustls_pki_types::{CertificateDer, pem::PemObject};

use super::reader::file;

const PATH: &str = "etc/ssl/certs/ca-certificates.crt";

fn roots() -> Vec<CertificateDer<'static>> {
    let parsed = CertificateDer::pem_slice_iter(file(PATH));
    parsed
        .map(|root| root.expect("each is a certificate"))
        .collect()
}

#[test]
fn each_of_them_can_be_trusted_as_a_root() {
    let roots = roots();
    assert!(roots.len() > 100, "there are {}", roots.len());
    for root in &roots {
        webpki::anchor_from_trusted_cert(root).expect("it can be a root");
    }
}

#[test]
fn amazon_is_among_them() {
    for name in [
        "Amazon Root CA 1",
        "Starfield Services Root Certificate Authority - G2",
    ] {
        let has = |root: &CertificateDer<'_>| {
            let anchor = webpki::anchor_from_trusted_cert(root).expect("it can be a root");
            let subject = anchor.subject.to_vec();
            subject
                .windows(name.len())
                .any(|window| window == name.as_bytes())
        };
        assert!(roots().iter().any(has), "{name} is missing");
    }
}
