//! What a relay is told.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::ScopeId;

/// One TOML file; every line has a default.
///
/// ```
/// use crdt_sync::drive::relay::RelayConfig;
///
/// let config = RelayConfig::parse(
///     r#"
///     address = "0.0.0.0:8787"                      # 127.0.0.1:8787
///     data = "/var/lib/crdt-relay"                  # crdt-relay-data
///     origins = ["https://app.example"]             # any page
///     others = false                                # documents not named below: only on a loopback address
///
///     [documents.board-1]
///     tokens = ["a long random word"]               # none: whoever knows its name
///     "#,
/// );
/// assert!(config.unwrap().check().is_ok());
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RelayConfig {
    /// Where to listen.
    pub address: SocketAddr,
    /// The folder of the stores, a file for each document.
    pub data: PathBuf,
    /// Pages of these origins may connect, as a browser names them: `https://app.example`. Of any, if it is empty.
    pub origins: Vec<String>,
    /// Certificate and key. Without them the relay speaks in the clear: behind a proxy that ends TLS, or on one machine.
    pub tls: Option<RelayTls>,
    /// Documents by name, and who may enter them.
    pub documents: BTreeMap<String, DocumentAccess>,
    /// Whether there may be other documents, open to whoever knows their name. If it is not said, on a loopback address
    /// and nowhere else.
    pub others: Option<bool>,
    /// Documents kept on the disk.
    pub documents_max: usize,
    /// Documents open at a time; each costs two threads and its state in memory.
    pub documents_open_max: usize,
    /// Connections at a time.
    pub sockets_max: usize,
}

/// Who may enter a document.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct DocumentAccess {
    /// Whoever shows one of these. If there are none: whoever knows the document's name.
    pub tokens: Vec<String>,
}

/// Files in PEM form.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RelayTls {
    /// The certificate, and what links it to its authority.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// A relay can't run as it was told. Nothing was changed.
#[derive(Debug)]
#[non_exhaustive]
pub enum RelayConfigError {
    /// The text is no configuration; where and why.
    Text(String),
    /// A file or folder can't be used.
    File(PathBuf, io::Error),
    /// Two lines contradict each other.
    Contradiction(String),
}

impl fmt::Display for RelayConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(why) | Self::Contradiction(why) => f.write_str(why),
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for RelayConfigError {}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8787)),
            data: PathBuf::from("crdt-relay-data"),
            origins: Vec::new(),
            tls: None,
            documents: BTreeMap::new(),
            others: None,
            documents_max: 10_000,
            documents_open_max: 256,
            sockets_max: 4_096,
        }
    }
}

impl RelayConfig {
    /// From the text of a configuration file.
    ///
    /// # Errors
    /// If it is not TOML, or has a line that means nothing.
    pub fn parse(text: &str) -> Result<Self, RelayConfigError> {
        toml::from_str(text).map_err(|error| RelayConfigError::Text(error.to_string().trim_end().to_owned()))
    }

    /// From a file; its paths are relative to its folder.
    ///
    /// # Errors
    /// If it can't be read, and as [`parse`](Self::parse).
    pub fn read(path: &Path) -> Result<Self, RelayConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| RelayConfigError::File(path.to_owned(), error))?;
        let mut config =
            Self::parse(&text).map_err(|error| RelayConfigError::Text(format!("{}: {error}", path.display())))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        config.data = folder.join(&config.data);
        if let Some(tls) = &mut config.tls {
            tls.certificate = folder.join(&tls.certificate);
            tls.key = folder.join(&tls.key);
        }
        Ok(config)
    }

    /// Whether it makes sense as a whole.
    ///
    /// # Errors
    /// If nobody could enter anything, or no document or socket may be open.
    pub fn check(&self) -> Result<(), RelayConfigError> {
        if self.documents.is_empty() && !self.allows_others() {
            return Err(RelayConfigError::Contradiction(format!(
                "nobody could enter: {} is no loopback address, and no document is named; name some, or say `others = true`",
                self.address
            )));
        }
        if self.documents_max == 0 || self.documents_open_max == 0 || self.sockets_max == 0 {
            return Err(RelayConfigError::Contradiction("a limit of 0 lets nothing in".to_owned()));
        }
        Ok(())
    }

    fn allows_others(&self) -> bool {
        self.others.unwrap_or(self.address.ip().is_loopback())
    }

    pub(super) fn lets_in(&self, scope: ScopeId, token: Option<&str>) -> bool {
        let named = self.documents.iter().find(|(name, _)| ScopeId::named(name) == scope);
        match named {
            None => self.allows_others(),
            Some((_, access)) if access.tokens.is_empty() => true,
            Some((_, access)) => token.is_some_and(|token| access.tokens.iter().any(|ours| same(ours, token))),
        }
    }
}

/// Takes as long for a token that is wrong early as for one that is wrong late.
fn same(ours: &str, shown: &str) -> bool {
    let (ours, shown) = (ours.as_bytes(), shown.as_bytes());
    let differing = ours.iter().zip(shown).fold(0, |differing, (left, right)| differing | (left ^ right));
    ours.len() == shown.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_its_document_and_no_other() {
        let config = RelayConfig::parse("[documents.a]\ntokens = ['one', 'two']\n[documents.b]\n").unwrap();
        let (a, b, other) = (ScopeId::named("a"), ScopeId::named("b"), ScopeId::named("c"));
        assert!(config.lets_in(a, Some("two")));
        assert!(!config.lets_in(a, Some("tw")) && !config.lets_in(a, Some("twos")) && !config.lets_in(a, None));
        assert!(config.lets_in(b, None));
        assert!(config.lets_in(other, None), "the default address is a loopback one");
    }

    #[test]
    fn what_faces_a_network_is_open_only_if_that_was_said() {
        let open = |text: &str| RelayConfig::parse(text).unwrap().lets_in(ScopeId::named("x"), None);
        assert!(!open("address = '0.0.0.0:1'\n[documents.a]"));
        assert!(open("address = '0.0.0.0:1'\nothers = true"));
        assert!(!open("others = false\n[documents.a]"));
        assert!(RelayConfig::parse("address = '0.0.0.0:1'").unwrap().check().is_err(), "nobody could enter");
    }

    #[test]
    fn a_line_that_means_nothing_is_named() {
        let error = RelayConfig::parse("addres = '127.0.0.1:1'").unwrap_err().to_string();
        assert!(error.contains("addres") && error.contains("line 1"), "{error}");
    }
}
