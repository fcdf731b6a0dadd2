//! Certificates for one run: an authority that lives only in memory, and one for each member.

use std::error::Error;
use std::fs;
use std::path::Path;

use crdt_sync::drive::tcp::Tls;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// What every member's certificate is for.
const NAME: &str = "demo.replicas";

/// Writes `authority.pem`, and in each member's folder `certificate.pem` and `key.pem`. The authority's key is
/// forgotten: nobody can join this run later.
pub fn write(folder: &Path, members: &[String]) -> Result<(), Box<dyn Error>> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    fs::write(folder.join("authority.pem"), authority.pem())?;
    for member in members {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec![NAME.to_owned()])?.signed_by(&key, &authority)?;
        fs::create_dir_all(folder.join(member))?;
        fs::write(folder.join(member).join("certificate.pem"), certificate.pem())?;
        fs::write(folder.join(member).join("key.pem"), key.serialize_pem())?;
    }
    Ok(())
}

/// What a member finds there.
pub fn read(folder: &Path, member: &str) -> Result<Tls, Box<dyn Error>> {
    let text = |path: &Path| fs::read_to_string(folder.join(path));
    let own = Path::new(member);
    let (certificate, key) = (text(&own.join("certificate.pem"))?, text(&own.join("key.pem"))?);
    Ok(Tls::mutual(&text(Path::new("authority.pem"))?, &certificate, &key, NAME)?)
}
