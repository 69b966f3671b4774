//! The packages that scripts import: pulled from the server, verified, unpacked, and switched to
//! at once.

mod unpack;
mod folder;
mod sync;

pub(crate) use sync::keep_in_step;

#[cfg(test)]
pub(crate) mod tests {
    //! Packages as tests make them.

    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use groundcontrol_websocket::wire::ManifestEntry;
    use sha2::{Digest as _, Sha256};

    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// A gzipped tar of these files.
    pub(crate) fn package(files: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, content) in files {
            let mut header = tar::Header::new_ustar();
            header.set_mode(0o644);
            header.set_size(content.len() as u64);
            archive.append_data(&mut header, path, content.as_bytes()).unwrap();
        }
        gzip(&archive.into_inner().unwrap())
    }

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
