//! Certificates for both ends.

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream as ClientStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream as ServerStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// TLS in which both ends prove themselves: whoever has a certificate of the authority is a member, and nobody else
/// gets as far as a frame. What a member may have is [`Config::authorise`](crate::Config::authorise)'s to say, which sees
/// its certificate.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Tls {
    /// From PEM texts: the authority's certificate, this member's certificate with what links it to the authority, and
    /// its key. `name` is the DNS name that every member's certificate bears: the scope's, not a machine's, as
    /// replicas move.
    ///
    /// # Errors
    /// If a text holds no certificate or key, they don't fit each other, or the name is none.
    pub fn mutual(authority: &str, certificate: &str, key: &str, name: &str) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        for root in certificates(authority)? {
            roots.add(root).map_err(invalid)?;
        }
        let roots = Arc::new(roots);
        let chain = certificates(certificate)?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(invalid)?;
        // Named here rather than installed for the whole process: that is the application's to choose.
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider));
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(invalid)?
            .with_client_cert_verifier(verifier.build().map_err(invalid)?)
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(invalid)?;
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(invalid)?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(invalid)?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(server)),
            connector: TlsConnector::from(Arc::new(client)),
            name: ServerName::try_from(name.to_owned()).map_err(invalid)?,
        })
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<ServerStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }

    pub(super) async fn connect(&self, stream: TcpStream) -> io::Result<ClientStream<TcpStream>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}

/// The certificate of which the other end has proved to hold the key: the first of its chain.
pub(super) fn certificate_of(chain: Option<&[CertificateDer<'_>]>) -> Option<Vec<u8>> {
    chain?.first().map(|certificate| certificate.as_ref().to_vec())
}

/// For clients that have no certificate of their own, as browsers.
#[cfg(feature = "relay")]
pub(in crate::drive) fn server(certificate: &str, key: &str) -> io::Result<TlsAcceptor> {
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(invalid)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(invalid)?
        .with_no_client_auth()
        .with_single_cert(certificates(certificate)?, key)
        .map_err(invalid)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(pem: &str) -> io::Result<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found {
        Ok(found) if found.is_empty() => Err(invalid("the text holds no certificate")),
        Ok(found) => Ok(found),
        Err(error) => Err(invalid(error)),
    }
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}
