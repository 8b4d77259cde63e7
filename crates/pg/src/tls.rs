//! TLS to the database, with rustls. What a login demands is settled once; every connection of this crate uses it.
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
    server::ParsedCertificate,
};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// The protocol's name: a server refuses a connection that was meant for another one.
const ALPN: &[u8] = b"postgresql";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    Never,
    WhenOffered,
    Always,
}

/// Whose certificate is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    Anybody,
    /// From an authority in this file.
    Authority(PathBuf),
    /// And for the host of the connection.
    Host(PathBuf),
    HostBySystem,
}

#[derive(Debug)]
pub(crate) struct TlsFiles {
    pub trust: Trust,
    /// Our certificate and its key.
    pub own: Option<(PathBuf, PathBuf)>,
}

/// Why TLS could not be set up; all of it is told before the first connection.
#[derive(Debug, thiserror::Error)]
pub enum TlsSetupFault {
    #[error("the file {} could not be read as PEM: {why}", path.display())]
    File { path: PathBuf, why: String },
    #[error("the file {} has no certificate", .0.display())]
    Empty(PathBuf),
    #[error("this machine trusts no certificate authority; install ca-certificates or give sslrootcert")]
    NoSystemRoots,
    #[error("our certificate is not usable: {0}")]
    Own(rustls::Error),
}

/// Why one connection got no TLS.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsFault {
    #[error(
        "{host} offers no TLS, and sslmode demands it; no login was sent. Turn `ssl` on in its postgresql.conf"
    )]
    NotOffered { host: String },
    #[error("{host} is no name or address that a certificate can be for")]
    Name { host: String },
    #[error("the certificate of {host} is not trusted ({why}); no login was sent. {way_out}")]
    Certificate { host: String, why: rustls::Error, way_out: &'static str },
    #[error("TLS with {host} could not be agreed on")]
    Handshake { host: String, source: std::io::Error },
    #[error("{host} answered the question for TLS with neither yes nor no")]
    Answer { host: String },
}

#[derive(Clone)]
pub(crate) struct Tls {
    demand: Demand,
    client: Arc<ClientConfig>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("demand", &self.demand).finish_non_exhaustive()
    }
}

impl Tls {
    pub(crate) fn new(demand: Demand, files: &TlsFiles) -> Result<Self, TlsSetupFault> {
        let verifier = match &files.trust {
            Trust::Anybody => Verifier::new(Check::Nothing, Vec::new())?,
            Trust::Authority(path) => Verifier::new(Check::Chain, certificates(path)?)?,
            Trust::Host(path) => Verifier::new(Check::ChainAndHost, certificates(path)?)?,
            Trust::HostBySystem => {
                let found = rustls_native_certs::load_native_certs().certs;
                if found.is_empty() {
                    return Err(TlsSetupFault::NoSystemRoots);
                }
                Verifier::new(Check::ChainAndHost, found)?
            }
        };
        let client = builder(verifier);
        let client = match &files.own {
            None => client.with_no_client_auth(),
            Some((certificate, key)) => {
                let key = PrivateKeyDer::from_pem_file(key).map_err(|why| file_fault(key, &why))?;
                client.with_client_auth_cert(certificates(certificate)?, key).map_err(TlsSetupFault::Own)?
            }
        };
        Ok(Self::of(demand, client))
    }

    pub(crate) fn unverified(demand: Demand) -> Self {
        let verifier = Verifier {
            check: Check::Nothing,
            roots: RootCertStore::empty(),
            pinned: Vec::new(),
            provider: Arc::new(ring::default_provider()),
        };
        Self::of(demand, builder(verifier).with_no_client_auth())
    }

    fn of(demand: Demand, mut client: ClientConfig) -> Self {
        client.alpn_protocols = vec![ALPN.to_vec()];
        Self { demand, client: Arc::new(client) }
    }

    pub(crate) fn demand(&self) -> Demand {
        self.demand
    }

    /// Wraps a connection to `host`, which has agreed to TLS.
    pub(crate) async fn wrap(&self, socket: TcpStream, host: &str) -> Result<TlsStream<TcpStream>, TlsFault> {
        let name =
            ServerName::try_from(host.to_owned()).map_err(|_| TlsFault::Name { host: host.to_owned() })?;
        TlsConnector::from(Arc::clone(&self.client))
            .connect(name, socket)
            .await
            .map_err(|error| handshake_fault(host, error))
    }
}

fn handshake_fault(host: &str, error: std::io::Error) -> TlsFault {
    let host = host.to_owned();
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>()).cloned();
    let Some(why @ rustls::Error::InvalidCertificate(_)) = cause else {
        return TlsFault::Handshake { host, source: error };
    };
    let way_out = match &why {
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "Connect with a name that stands in its subjectAltName (the common name does not count).",
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        ) => "Give the certificate of its authority in sslrootcert.",
        _ => "Give the server a current certificate (X.509 version 3).",
    };
    TlsFault::Certificate { host, why, way_out }
}

fn builder(verifier: Verifier) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    ClientConfig::builder_with_provider(Arc::clone(&verifier.provider))
        .with_safe_default_protocol_versions()
        .expect("ring has cipher suites for TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsSetupFault> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let found: Vec<CertificateDer<'static>> = read.map_err(|why| file_fault(path, &why))?;
    if found.is_empty() { Err(TlsSetupFault::Empty(path.to_owned())) } else { Ok(found) }
}

fn file_fault(path: &Path, why: &rustls::pki_types::pem::Error) -> TlsSetupFault {
    TlsSetupFault::File { path: path.to_owned(), why: why.to_string() }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    Nothing,
    Chain,
    ChainAndHost,
}

/// What `sslmode` asks. The server's signature is checked in any case: it has the key of the certificate that it shows.
#[derive(Debug)]
struct Verifier {
    check: Check,
    roots: RootCertStore,
    /// A server's own certificate in `sslrootcert` is trusted as it is: self-signed ones are often made like an authority's.
    pinned: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(check: Check, certificates: Vec<CertificateDer<'static>>) -> Result<Self, TlsSetupFault> {
        let mut roots = RootCertStore::empty();
        // A machine's store may have some that nobody can read; none at all is a fault.
        let (added, _unread) = roots.add_parsable_certificates(certificates.iter().cloned());
        if added == 0 && check != Check::Nothing {
            return Err(TlsSetupFault::Own(rustls::Error::InvalidCertificate(CertificateError::BadEncoding)));
        }
        Ok(Self { check, roots, pinned: certificates, provider: Arc::new(ring::default_provider()) })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.check == Check::Nothing {
            return Ok(ServerCertVerified::assertion());
        }
        let certificate = ParsedCertificate::try_from(end_entity)?;
        if !self.pinned.contains(end_entity) {
            let algorithms = self.provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(
                &certificate,
                &self.roots,
                intermediates,
                now,
                algorithms,
            )?;
        }
        if self.check == Check::ChainAndHost {
            verify_server_name(&certificate, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What binds a login to this TLS connection (`tls-server-end-point`, RFC 5929): the hash of the server's certificate, with
/// the hash of its signature; SHA-256 instead of MD5 and SHA-1. `None` for signatures without a hash of their own.
pub(crate) fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
    const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];
    let (_, inside, _) = der(certificate)?;
    let (_, _, after_body) = der(inside)?;
    let (_, algorithm, _) = der(after_body)?;
    let (_, oid, _) = der(algorithm)?;
    let bits = match (oid.strip_prefix(RSA), oid.strip_prefix(ECDSA)) {
        (Some([4 | 5 | 11]), _) | (_, Some([1] | [3, 2])) => 256,
        (Some([12]), _) | (_, Some([3, 3])) => 384,
        (Some([13]), _) | (_, Some([3, 4])) => 512,
        _ => return None,
    };
    Some(match bits {
        256 => Sha256::digest(certificate).to_vec(),
        384 => Sha384::digest(certificate).to_vec(),
        _ => Sha512::digest(certificate).to_vec(),
    })
}

/// The first element of DER: its tag, its content, and what comes after it.
fn der(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (digits, rest) =
            rest.split_at_checked(usize::from(first & 0x7f)).filter(|(d, _)| d.len() <= 4)?;
        (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some((*tag, content, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate's outline: a body, the algorithm, the signature.
    fn outline(oid: &[u8]) -> Vec<u8> {
        let length = |bytes: &[u8]| u8::try_from(bytes.len()).expect("short");
        let mut algorithm = vec![0x06, length(oid)];
        algorithm.extend(oid);
        let mut inside = vec![0x30, 0, 0x30, length(&algorithm)];
        inside.extend(algorithm);
        inside.extend([0x03, 1, 0]);
        let mut whole = vec![0x30, 0x81, length(&inside)];
        whole.extend(inside);
        whole
    }

    #[test]
    fn a_certificate_is_hashed_as_its_signature_says() {
        for (oid, bytes) in [
            (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 11][..], Some(32)),
            (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 5], Some(32)),
            (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 3, 3], Some(48)),
            (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 13], Some(64)),
            (&[0x2b, 0x65, 0x70], None),
        ] {
            assert_eq!(end_point(&outline(oid)).map(|hash| hash.len()), bytes, "{oid:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_certificate_panics(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..64)) {
            let _hashed_or_not = end_point(&bytes);
        }
    }
}
