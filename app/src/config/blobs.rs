//! Where the bytes of script packages are kept.

use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;

/// Where the bytes of script packages are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BlobSettings {
    /// In the database that is the store.
    #[default]
    Database,
    /// In a directory, which all pods share.
    Directory(PathBuf),
    /// In an S3-compatible bucket.
    Bucket {
        /// Its name.
        bucket: String,
        /// What the names of all objects begin with; may be empty.
        prefix: String,
    },
}

/// The text names no place for blobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use database, dir:PATH, or s3://BUCKET/PREFIX")]
pub struct NotAPlace;

impl FromStr for BlobSettings {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        if text == "database" {
            return Ok(Self::Database);
        }
        if let Some(path) = text.strip_prefix("dir:").filter(|path| !path.is_empty()) {
            return Ok(Self::Directory(path.into()));
        }
        let rest = text.strip_prefix("s3://").ok_or(NotAPlace)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        match bucket {
            "" => Err(NotAPlace),
            _ => Ok(Self::Bucket {
                bucket: bucket.to_owned(),
                prefix: prefix.trim_matches('/').to_owned(),
            }),
        }
    }
}

impl<'de> Deserialize<'de> for BlobSettings {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        String::deserialize(source)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_database_a_directory_or_a_bucket() {
        assert_eq!("database".parse(), Ok(BlobSettings::Database));
        assert_eq!("dir:/srv/x".parse(), Ok(BlobSettings::Directory("/srv/x".into())));
        let bucket =
            |prefix: &str| BlobSettings::Bucket { bucket: "b".into(), prefix: prefix.into() };
        assert_eq!("s3://b".parse(), Ok(bucket("")));
        assert_eq!("s3://b/a/c/".parse(), Ok(bucket("a/c")));
        for wrong in ["", "dir:", "s3://", "s3:///x", "/srv/x", "gs://b"] {
            assert_eq!(wrong.parse::<BlobSettings>(), Err(NotAPlace), "{wrong}");
        }
    }
}
