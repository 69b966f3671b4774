//! Where objects are.

use std::path::Path;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Place;

use super::client::Connector;
use super::store::ObjectBlobs;

/// Why blobs cannot be kept there.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep blobs in {place}: {why}")]
pub struct OpenError {
    place: String,
    why: String,
}

impl ObjectBlobs {
    /// Blobs in the directory at `path`, which is made where it is not there. What was answered is
    /// on the disk. Pods on several machines must share it.
    pub fn directory(path: &Path) -> Result<Self, OpenError> {
        let refused = |why: &dyn ToString| OpenError {
            place: path.display().to_string(),
            why: why.to_string(),
        };
        std::fs::create_dir_all(path).map_err(|why| refused(&why))?;
        let files = LocalFileSystem::new_with_prefix(path).map_err(|why| refused(&why))?;
        Ok(Self::new(Arc::new(files.with_fsync(true)), Place::default()))
    }

    /// Blobs in an S3-compatible bucket, below `prefix`. Keys, region and endpoint are those of
    /// `environment`, by the names that all such clients use: `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT_URL` and so on. All connections are made
    /// by `http`.
    pub fn bucket(
        bucket: &str,
        prefix: &str,
        environment: impl IntoIterator<Item = (String, String)>,
        http: reqwest::Client,
    ) -> Result<Self, OpenError> {
        let mut builder = AmazonS3Builder::new();
        for (name, value) in environment {
            if name.starts_with("AWS_")
                && let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>()
            {
                builder = builder.with_config(key, value);
            }
        }
        let builder = builder.with_bucket_name(bucket).with_http_connector(Connector(http));
        let store: Arc<dyn ObjectStore> = Arc::new(builder.build().map_err(|why| OpenError {
            place: format!("the bucket {bucket}"),
            why: why.to_string(),
        })?);
        Ok(Self::new(store, Place::from(prefix)))
    }
}
