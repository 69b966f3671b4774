//! The packages that scripts import: pulled from the server, verified, unpacked, and switched to
//! at once.

mod unpack;
mod folder;
mod sync;

pub(crate) use sync::keep_in_step;

#[cfg(test)]
pub(crate) mod tests {
    //! Packages as tests make them.

    use groundcontrol_websocket::wire::ManifestEntry;
    use sha2::{Digest as _, Sha256};

    pub(crate) fn manifest_entry(name: &str, blob: &[u8]) -> ManifestEntry {
        let sha256: String =
            Sha256::digest(blob).iter().map(|byte| format!("{byte:02x}")).collect();
        ManifestEntry {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            integrity: format!("sha512-{name}/{sha256}=="),
            blob_sha256: Some(sha256),
        }
    }
}
