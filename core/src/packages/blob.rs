//! A package as it is stored and sent.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::{BlobHash, NotAHash};

/// The bytes of a gzipped tar, in the pieces in which they are kept and passed on. Printing it
/// shows its size only.
#[derive(Clone, PartialEq, Eq)]
pub struct Blob(Vec<Box<[u8]>>);

impl Blob {
    /// A blob of these pieces.
    pub fn new(pieces: Vec<Box<[u8]>>) -> Self {
        Self(pieces)
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> &[Box<[u8]>] {
        &self.0
    }

    /// The pieces, in order.
    pub fn into_pieces(self) -> Vec<Box<[u8]>> {
        self.0
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.0.iter().map(|piece| piece.len()).sum()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.len())
    }
}

/// The name under which the bytes of one upload are stored. No two uploads share one, even of the
/// same blob, so that what is deleted can never be what somebody uploads just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobName {
    /// The blob.
    pub hash: BlobHash,
    /// The upload.
    pub upload: Uuid,
}

/// The text names no upload of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a blob's name is a SHA-256, a hyphen, and 32 hexadecimal digits")]
pub struct NotABlobName;

impl From<NotAHash> for NotABlobName {
    fn from(_: NotAHash) -> Self {
        Self
    }
}

impl fmt::Display for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.hash, self.upload.simple())
    }
}

impl FromStr for BlobName {
    type Err = NotABlobName;

    /// Reads what was written, to the letter.
    ///
    /// ```
    /// use groundcontrol_core::packages::{BlobHash, BlobName};
    /// let name = BlobName { hash: BlobHash::of(b"a"), upload: uuid::Uuid::from_u128(7) };
    /// assert_eq!(name.to_string().parse(), Ok(name));
    /// assert!(name.to_string().to_uppercase().parse::<BlobName>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<Self, NotABlobName> {
        let (hash, upload) = text.split_once('-').ok_or(NotABlobName)?;
        let upload = Uuid::try_parse(upload).map_err(|_| NotABlobName)?;
        let name = Self { hash: hash.parse()?, upload };
        if name.to_string() == text { Ok(name) } else { Err(NotABlobName) }
    }
}

/// A blob that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldBlob {
    /// Where its bytes are.
    pub name: BlobName,
    /// How many there are.
    pub bytes: u64,
    /// Bytes of the archive that they are unpacked to.
    pub unpacked_bytes: u64,
    /// Files and folders in it.
    pub files: u64,
}

impl HeldBlob {
    /// What names it.
    pub fn hash(&self) -> BlobHash {
        self.name.hash
    }
}
