//! A blob on its way in: counted, hashed and looked through while it arrives, and held in memory
//! once.

use std::io::{self, Read};

use groundcontrol_core::limits::{BLOB_PIECE, MAX_BLOB, MAX_PACKAGE_FILES, MAX_UNPACKED_BLOB};
use groundcontrol_core::packages::{Blob, BlobHash};
use groundcontrol_core::ports::{BlobFault, BlobStream};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::archive::{ArchiveError, Budget, Member, visit};

/// Pieces that wait to be looked through.
const AHEAD: usize = 4;
const BUDGET: Budget = Budget { bytes: MAX_UNPACKED_BLOB, files: MAX_PACKAGE_FILES };

/// A blob that is what it should be.
#[derive(Debug)]
pub(crate) struct Uploaded {
    /// Its bytes.
    pub(crate) blob: Blob,
    /// What is in it.
    pub(crate) contents: Contents,
}

/// What is in an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contents {
    /// Bytes, unpacked.
    pub(crate) bytes: u64,
    /// Files and folders.
    pub(crate) files: u64,
}

/// Takes all of a blob, whose SHA-256 must be `expected`. Where anything is wrong with it the rest
/// is not asked for.
pub(crate) async fn receive(
    expected: BlobHash,
    content: &mut dyn BlobStream,
) -> Result<Uploaded, BlobFault> {
    let (mut digest, mut pieces, mut total) = (Sha256::new(), Pieces::default(), 0);
    let (sender, looking) = look_through(BUDGET);
    let (mut looking, mut contents) = (Some((sender, looking)), None);
    while let Some(bytes) = content.next().await? {
        total += bytes.len();
        if total > MAX_BLOB {
            return Err(BlobFault::TooLarge);
        }
        digest.update(&bytes);
        pieces.push(&bytes);
        if let Some((sender, _)) = &looking
            && sender.send(bytes).await.is_err()
            && let Some((_, looked)) = looking.take()
        {
            // Something is wrong, or only what nobody unpacks follows.
            contents = Some(seen(looked).await?);
        }
    }
    if let Some((sender, looked)) = looking {
        drop(sender);
        contents = Some(seen(looked).await?);
    }
    let found = BlobHash::computed(digest.finalize().into());
    match contents {
        Some(contents) if found == expected => Ok(Uploaded { blob: pieces.into_blob(), contents }),
        Some(_) | None => Err(BlobFault::Differs { expected, found }),
    }
}

type Looking = JoinHandle<Result<Contents, BlobFault>>;

async fn seen(looked: Looking) -> Result<Contents, BlobFault> {
    looked.await.map_err(|why| BlobFault::NotAnArchive(why.to_string()))?
}

/// Bytes gathered to pieces of one size.
#[derive(Default)]
struct Pieces {
    whole: Vec<Box<[u8]>>,
    last: Vec<u8>,
}

impl Pieces {
    fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            self.last.reserve_exact(BLOB_PIECE - self.last.len());
            let (fits, rest) = bytes.split_at(bytes.len().min(BLOB_PIECE - self.last.len()));
            self.last.extend_from_slice(fits);
            bytes = rest;
            if self.last.len() == BLOB_PIECE {
                self.whole.push(std::mem::take(&mut self.last).into());
            }
        }
    }

    fn into_blob(mut self) -> Blob {
        if !self.last.is_empty() {
            self.whole.push(self.last.into());
        }
        Blob::new(self.whole)
    }
}

/// Looks through an archive as it arrives, off the async threads.
fn look_through(budget: Budget) -> (mpsc::Sender<Vec<u8>>, Looking) {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let arriving = Arriving { receiver, bytes: Vec::new(), read: 0 };
    (sender, spawn_blocking(move || contents(arriving, budget)))
}

fn contents(bytes: impl Read, budget: Budget) -> Result<Contents, BlobFault> {
    let (mut left, mut files) = (budget, 0_u64);
    visit(bytes, &mut left, |member| {
        if let Member::File(_, _, bytes) = member {
            files += 1;
            io::copy(bytes, &mut io::sink())?;
        }
        Ok(())
    })
    .map_err(fault)?;
    match files {
        0 => Err(BlobFault::Empty),
        _ => Ok(Contents { bytes: budget.bytes - left.bytes, files: budget.files - left.files }),
    }
}

fn fault(error: ArchiveError) -> BlobFault {
    match error {
        ArchiveError::Io(why) => BlobFault::NotAnArchive(why.to_string()),
        ArchiveError::Outside(path) => BlobFault::Outside(path.to_string_lossy().into_owned()),
        ArchiveError::NotPlain { path, kind } => BlobFault::NotPlain {
            path: path.to_string_lossy().into_owned(),
            kind: format!("{kind:?}").to_lowercase(),
        },
        ArchiveError::TooLarge => BlobFault::Bomb,
        ArchiveError::TooMany => BlobFault::TooManyFiles,
    }
}

/// What arrived so far, and then what arrives.
struct Arriving {
    receiver: mpsc::Receiver<Vec<u8>>,
    bytes: Vec<u8>,
    read: usize,
}

impl Read for Arriving {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.read == self.bytes.len() {
            match self.receiver.blocking_recv() {
                Some(bytes) => (self.bytes, self.read) = (bytes, 0),
                None => return Ok(0),
            }
        }
        let rest = self.bytes.get(self.read..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.read += count;
        Ok(count)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::VecDeque;

    use async_trait::async_trait;
    use tar::EntryType;

    use super::*;
    use crate::archive::tests::{entry, gzip, package};

    /// Bytes that arrive in small parts, and then what comes after them.
    pub(crate) struct Arrives(pub(crate) VecDeque<Vec<u8>>, pub(crate) Option<BlobFault>);

    impl Arrives {
        pub(crate) fn all_of(bytes: &[u8]) -> Self {
            Self(bytes.chunks(1_000).map(<[u8]>::to_vec).collect(), None)
        }
    }

    #[async_trait]
    impl BlobStream for Arrives {
        async fn next(&mut self) -> Result<Option<Vec<u8>>, BlobFault> {
            match (self.0.pop_front(), &self.1) {
                (Some(bytes), _) => Ok(Some(bytes)),
                (None, Some(fault)) => Err(fault.clone()),
                (None, None) => Ok(None),
            }
        }
    }

    async fn received(bytes: &[u8]) -> Result<Uploaded, BlobFault> {
        receive(BlobHash::of(bytes), &mut Arrives::all_of(bytes)).await
    }

    /// Bytes that no compression makes fewer.
    fn noise(bytes: usize) -> String {
        let mut state = 1_u64;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b' ' + (state >> 58) as u8)
        };
        (0..bytes).map(|_| draw()).collect()
    }

    #[tokio::test]
    async fn a_blob_that_is_what_it_should_be_is_taken_in_pieces_of_one_size() {
        let content = noise(3 * BLOB_PIECE);
        let bytes = package(&[("package/index.js", &content), ("package/lib/a.js", "1")]);
        let uploaded = received(&bytes).await.unwrap();
        let pieces = uploaded.blob.pieces();
        assert_eq!(pieces.concat(), bytes);
        let (last, whole) = pieces.split_last().unwrap();
        assert!(whole.len() > 1 && whole.iter().all(|piece| piece.len() == BLOB_PIECE));
        assert!((1..=BLOB_PIECE).contains(&last.len()));
        assert_eq!(uploaded.contents.files, 2);
        assert!(uploaded.contents.bytes > content.len() as u64);
    }

    #[tokio::test]
    async fn bytes_that_differ_from_their_hash_are_refused() {
        let (bytes, expected) = (package(&[("package/a", "1")]), BlobHash::of(b"other"));
        let refused = receive(expected, &mut Arrives::all_of(&bytes)).await.unwrap_err();
        assert_eq!(refused, BlobFault::Differs { expected, found: BlobHash::of(&bytes) });
    }

    #[tokio::test]
    async fn a_blob_beyond_its_limit_is_refused_before_all_of_it_has_arrived() {
        let bytes = package(&[("package/long", &noise(20_000_000))]);
        let mut arrives = Arrives::all_of(&bytes);
        let refused = receive(BlobHash::of(&bytes), &mut arrives).await.unwrap_err();
        assert_eq!(refused, BlobFault::TooLarge);
        assert!(!arrives.0.is_empty(), "all of it was read");
    }

    #[tokio::test]
    async fn what_breaks_off_is_refused() {
        let bytes = package(&[("package/a", &noise(10_000))]);
        let mut arrives = Arrives::all_of(&bytes[..bytes.len() / 2]);
        arrives.1 = Some(BlobFault::BrokenOff("gone".into()));
        let refused = receive(BlobHash::of(&bytes), &mut arrives).await.unwrap_err();
        assert_eq!(refused, BlobFault::BrokenOff("gone".into()));
        let half = &bytes[..bytes.len() / 2];
        assert!(matches!(received(half).await.unwrap_err(), BlobFault::NotAnArchive(_)));
    }

    #[tokio::test]
    async fn a_bomb_is_refused() {
        let zeros = "0".repeat(1_000_000);
        let names: Vec<_> = (0..300).map(|n| format!("package/{n}")).collect();
        let files: Vec<_> = names.iter().map(|name| (name.as_str(), zeros.as_str())).collect();
        let bytes = package(&files);
        assert!(bytes.len() < MAX_BLOB, "{} bytes", bytes.len());
        assert_eq!(received(&bytes).await.unwrap_err(), BlobFault::Bomb);
    }

    #[tokio::test]
    async fn what_leads_out_of_its_folder_or_is_no_file_is_refused() {
        for path in ["../x", "/x", "package/../../x"] {
            let refused = received(&entry(path, EntryType::Regular, b"x")).await.unwrap_err();
            assert_eq!(refused, BlobFault::Outside(path.into()));
        }
        for (kind, name) in [(EntryType::Symlink, "symlink"), (EntryType::Char, "char")] {
            let refused = received(&entry("package/x", kind, b"")).await.unwrap_err();
            let expected = BlobFault::NotPlain { path: "package/x".into(), kind: name.into() };
            assert_eq!(refused, expected);
        }
    }

    #[tokio::test]
    async fn what_holds_no_file_is_refused() {
        let empty = package(&[]);
        assert_eq!(received(&empty).await.unwrap_err(), BlobFault::Empty);
        for bytes in [&b""[..], b"no gzip", &gzip(b"no tar, and not of a block's length")] {
            let refused = received(bytes).await.unwrap_err();
            assert!(matches!(refused, BlobFault::NotAnArchive(_)), "{refused}");
        }
    }
}
