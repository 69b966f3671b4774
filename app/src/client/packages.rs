//! Script packages: see, upload, publish.

use std::time::Duration;

use groundcontrol_core::packages::BlobHash;
use groundcontrol_http::dto::{
    DesiredPackages, FindMissingBlobs, Lockfile, MissingBlobs, PackageBlob, PackageSyncState, Page,
    PublishPackages,
};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use super::error::ClientError;
use super::request::Client;

const PACKAGES: &str = "/api/v1/script-packages";
/// The time for an upload, answer included.
const UPLOAD_WITHIN: Duration = Duration::from_secs(300);

impl Client {
    /// The packages that satellites shall have.
    pub async fn packages(&self) -> Result<DesiredPackages, ClientError> {
        self.json("read the packages", self.get(PACKAGES)).await
    }

    /// Those of `blobs` that the server does not hold.
    pub async fn missing_blobs(&self, blobs: Vec<String>) -> Result<Vec<String>, ClientError> {
        let path = format!("{PACKAGES}/blobs/find-missing");
        let body = FindMissingBlobs { blobs };
        let found: MissingBlobs =
            self.exchange("find missing blobs", Method::POST, &path, &body).await?;
        Ok(found.missing)
    }

    /// Uploads a blob.
    pub async fn upload_blob(
        &self,
        hash: BlobHash,
        bytes: Vec<u8>,
    ) -> Result<PackageBlob, ClientError> {
        let request = self.request(Method::PUT, &format!("{PACKAGES}/blobs/{hash}"));
        let request = request.header(CONTENT_TYPE, "application/gzip").body(bytes);
        self.json_within("upload a blob", request.timeout(UPLOAD_WITHIN)).await
    }

    /// Publishes packages.
    pub async fn publish_packages(&self, body: &PublishPackages) -> Result<Lockfile, ClientError> {
        self.exchange("publish the packages", Method::PUT, PACKAGES, body).await
    }

    /// Removes all packages.
    pub async fn clear_packages(&self) -> Result<(), ClientError> {
        self.delete("remove the packages", PACKAGES).await
    }

    /// Where all satellites stand with their packages.
    pub async fn package_sync_states(&self) -> Result<Vec<PackageSyncState>, ClientError> {
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut query = vec![("limit", groundcontrol_core::limits::MAX_PAGE.to_string())];
            query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
            let request = self.get(&format!("{PACKAGES}/sync-states")).query(&query);
            let page: Page<PackageSyncState> =
                self.json("read where satellites stand", request).await?;
            found.extend(page.items);
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => return Ok(found),
            }
        }
    }
}
