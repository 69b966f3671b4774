//! The port that operators' adapters call about script packages.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use groundcontrol_core::limits::{MAX_PACKAGE_FILES, MAX_UNPACKED_PACKAGES, WRITE_ATTEMPTS};
use groundcontrol_core::packages::{
    BlobHash, BlobName, Entry, HeldBlob, InvalidLockfile, Lockfile, LockfileHash, SyncState,
};
use groundcontrol_core::ports::{
    BlobStream, Desired, DesiredChange, DesiredOutcome, FieldError, FleetError, LoadedBlob, Nudge,
    PackageError, PackageService, StoredBlob,
};
use groundcontrol_core::satellite::SatelliteId;
use metrics::counter;
use tracing::info;

use super::package_relay::load;
use super::upload::{Uploaded, receive};
use crate::pod::{GroundControl, Packages};

impl GroundControl {
    fn packages(&self) -> Result<&Packages, PackageError> {
        let lacks = FleetError::NotOffered { what: "script packages" };
        Ok(self.pod.packages.as_ref().ok_or(lacks)?)
    }

    /// Tells all pods to look, this one at once.
    fn packages_changed(&self) {
        self.pod.broadcast.send(Nudge::PackagesChanged);
        self.pod.look_at_packages();
    }

    /// What is held of the blobs that entries name; an error that names those which are not.
    async fn held(&self, entries: &[Entry]) -> Result<BTreeMap<BlobHash, HeldBlob>, PackageError> {
        let wanted: Vec<_> = entries.iter().map(|entry| entry.blob).collect();
        let found = self.packages()?.ports.store.want_blobs(&wanted, self.pod.now()).await?;
        let held: BTreeMap<_, _> = found.into_iter().flatten().map(|b| (b.hash(), b)).collect();
        match missing(entries, |blob| !held.contains_key(blob)) {
            Some(error) => Err(error),
            None => Ok(held),
        }
    }
}

/// An error that names the entries whose blob is missing, if any is.
fn missing(entries: &[Entry], is_missing: impl Fn(&BlobHash) -> bool) -> Option<PackageError> {
    let named = entries.iter().enumerate().filter(|(_, entry)| is_missing(&entry.blob));
    let fault = |(index, entry): (usize, &Entry)| FieldError {
        pointer: format!("/entries/{index}/blobSha256"),
        detail: format!(
            "is of {} {}, whose blob is missing: upload it first",
            entry.name, entry.version
        ),
    };
    let faults: Vec<_> = named.map(fault).collect();
    (!faults.is_empty()).then_some(PackageError::Fleet(FleetError::Invalid(faults)))
}

fn invalid(why: &InvalidLockfile) -> PackageError {
    let pointer = match why {
        InvalidLockfile::Empty | InvalidLockfile::TooMany(_) => "/entries".to_owned(),
        InvalidLockfile::Repeated { index, .. } => format!("/entries/{index}"),
        InvalidLockfile::Ambiguous { index, .. } => format!("/entries/{index}/integrity"),
    };
    PackageError::invalid(pointer, why)
}

/// What all of it is unpacked to must be what an agent unpacks. Of several versions of a package
/// it unpacks the first.
fn check_size(
    lockfile: &Lockfile,
    held: &BTreeMap<BlobHash, HeldBlob>,
) -> Result<(), PackageError> {
    let (mut names, mut bytes, mut files) = (BTreeSet::new(), 0, 0);
    for entry in lockfile.entries() {
        if let (true, Some(blob)) = (names.insert(&entry.name), held.get(&entry.blob)) {
            bytes += blob.unpacked_bytes;
            files += blob.files;
        }
    }
    if bytes > MAX_UNPACKED_PACKAGES {
        let why = format!("unpack to {bytes} bytes; at most {MAX_UNPACKED_PACKAGES} are allowed");
        return Err(PackageError::invalid("/entries", why));
    }
    if files > MAX_PACKAGE_FILES {
        let why =
            format!("hold {files} files and folders; at most {MAX_PACKAGE_FILES} are allowed");
        return Err(PackageError::invalid("/entries", why));
    }
    Ok(())
}

#[async_trait]
impl PackageService for GroundControl {
    async fn desired_packages(&self) -> Result<(Desired, Option<Lockfile>), PackageError> {
        let store = &self.packages()?.ports.store;
        for _ in 0..WRITE_ATTEMPTS {
            let desired = store.desired().await?;
            let Some(hash) = desired.lockfile else { return Ok((desired, None)) };
            // Replaced and forgotten since: read again.
            if let Some(lockfile) = store.lockfile(hash).await? {
                return Ok((desired, Some(lockfile)));
            }
        }
        Err(FleetError::Busy.into())
    }

    async fn lockfile(&self, hash: LockfileHash) -> Result<Lockfile, PackageError> {
        let found = self.packages()?.ports.store.lockfile(hash).await?;
        Ok(found.ok_or(FleetError::NotFound { what: "lockfile" })?)
    }

    async fn publish_packages(
        &self,
        expected: Option<LockfileHash>,
        entries: Vec<Entry>,
    ) -> Result<Lockfile, PackageError> {
        let lockfile = Lockfile::new(entries.clone()).map_err(|why| invalid(&why))?;
        check_size(&lockfile, &self.held(&entries).await?)?;
        let now = self.pod.now();
        let change = DesiredChange { expected, lockfile: Some(lockfile.clone()), now };
        match self.packages()?.ports.store.set_desired(change).await? {
            DesiredOutcome::Set => {
                info!(lockfile = %lockfile.hash(), entries = entries.len(), "packages published");
                self.packages_changed();
                Ok(lockfile)
            }
            DesiredOutcome::Overtaken(desired) => Err(PackageError::Overtaken(desired)),
            DesiredOutcome::Missing(blobs) => {
                let busy = || PackageError::Fleet(FleetError::Busy);
                Err(missing(&entries, |blob| blobs.contains(blob)).unwrap_or_else(busy))
            }
        }
    }

    async fn clear_packages(&self) -> Result<(), PackageError> {
        let store = &self.packages()?.ports.store;
        for _ in 0..WRITE_ATTEMPTS {
            let expected = store.desired().await?.lockfile;
            let change = DesiredChange { expected, lockfile: None, now: self.pod.now() };
            if store.set_desired(change).await? == DesiredOutcome::Set {
                info!("there shall be no packages any more");
                self.packages_changed();
                return Ok(());
            }
        }
        Err(FleetError::Busy.into())
    }

    async fn missing_blobs(&self, blobs: Vec<BlobHash>) -> Result<Vec<BlobHash>, PackageError> {
        let found = self.packages()?.ports.store.want_blobs(&blobs, self.pod.now()).await?;
        let missing = blobs.into_iter().zip(found).filter(|(_, held)| held.is_none());
        Ok(missing.map(|(blob, _)| blob).collect())
    }

    async fn store_blob(
        &self,
        hash: BlobHash,
        mut content: Box<dyn BlobStream>,
    ) -> Result<StoredBlob, PackageError> {
        let packages = self.packages()?;
        // The semaphore is never closed.
        let _turn = packages.incoming.acquire().await.map_err(|_| FleetError::Busy)?;
        let Uploaded { blob, contents } = receive(hash, content.as_mut()).await?;
        let ports = &packages.ports;
        let held = ports.store.want_blobs(&[hash], self.pod.now()).await?;
        if let Some(Some(held)) = held.first() {
            return Ok(StoredBlob { held: *held, is_new: false });
        }
        let name = BlobName { hash, upload: self.pod.new_id()? };
        let new = HeldBlob {
            name,
            bytes: blob.len() as u64,
            unpacked_bytes: contents.bytes,
            files: contents.files,
        };
        ports.blobs.put(name, blob.into(), self.pod.now()).await?;
        let held = ports.store.record_blob(new, self.pod.now()).await?;
        counter!("groundcontrol_package_blobs_stored_total").increment(1);
        Ok(StoredBlob { held, is_new: held == new })
    }

    async fn load_blob(&self, hash: BlobHash) -> Result<LoadedBlob, PackageError> {
        let packages = self.packages()?;
        let found = packages.ports.store.want_blobs(&[hash], self.pod.now()).await?;
        let lacks = FleetError::NotFound { what: "blob" };
        let Some(Some(held)) = found.first() else { return Err(lacks.into()) };
        Ok(load(packages, *held, || true).await?.ok_or(lacks)?)
    }

    async fn sync_states(
        &self,
        after: Option<SatelliteId>,
        limit: usize,
    ) -> Result<Vec<SyncState>, PackageError> {
        Ok(self.packages()?.ports.store.sync_states(after, limit).await?)
    }

    async fn sync_state(&self, satellite: SatelliteId) -> Result<Option<SyncState>, PackageError> {
        self.pod.view(satellite).await?;
        Ok(self.packages()?.ports.store.sync_state(satellite).await?)
    }
}
