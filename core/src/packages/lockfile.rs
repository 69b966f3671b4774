//! What packages there shall be.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{BlobHash, Integrity, LockfileHash, PackageName, PackageVersion};
use crate::limits::MAX_PACKAGES;

/// One version of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The package.
    pub name: PackageName,
    /// The version.
    pub version: PackageVersion,
    /// The key by which satellites ask for its blob.
    pub integrity: Integrity,
    /// The blob that it is unpacked from.
    pub blob: BlobHash,
}

/// All packages that there shall be: at least one, each version once, in the order of names.
///
/// Of several versions of a package the first given is the one that scripts import, so their order
/// is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lockfile {
    entries: Vec<Entry>,
    hash: LockfileHash,
}

/// Entries that make no lockfile. `index` is the entry's place in what was given; the message
/// completes "this entry …", or "this list …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLockfile {
    /// No entries at all.
    #[error("must not be empty; to have no packages, remove the lockfile")]
    Empty,
    /// More entries than the limit.
    #[error("has {0} entries; at most {MAX_PACKAGES} are allowed")]
    TooMany(usize),
    /// One version of a package twice.
    #[error("repeats {name} {version}")]
    Repeated {
        /// The second one.
        index: usize,
        /// The package.
        name: PackageName,
        /// The version.
        version: PackageVersion,
    },
    /// One key for two blobs.
    #[error("has the integrity of another entry whose blob is {blob}")]
    Ambiguous {
        /// The second one.
        index: usize,
        /// The first one's blob.
        blob: BlobHash,
    },
}

/// What is different between two lockfiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes<'a> {
    /// Entries that are new, or whose blob or key is.
    pub added: Vec<&'a Entry>,
    /// Entries that are gone, or were replaced.
    pub removed: Vec<&'a Entry>,
}

impl Lockfile {
    /// The lockfile of `entries`.
    pub fn new(mut entries: Vec<Entry>) -> Result<Self, InvalidLockfile> {
        match entries.len() {
            0 => return Err(InvalidLockfile::Empty),
            many if many > MAX_PACKAGES => return Err(InvalidLockfile::TooMany(many)),
            _ => {}
        }
        find_fault(&entries)?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        let hash = LockfileHash::of(canonical_form(&entries).as_bytes());
        Ok(Self { entries, hash })
    }

    /// The entries, in the order of names.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What names it.
    pub fn hash(&self) -> LockfileHash {
        self.hash
    }

    /// What it is the SHA-256 of: for each entry in order its name, version, key and blob,
    /// separated by tabs, and a line feed. None of them contains either.
    pub fn canonical_form(&self) -> String {
        canonical_form(&self.entries)
    }

    /// What is different from `before`, if there was anything before.
    pub fn changes_from<'a>(&'a self, before: Option<&'a Self>) -> Changes<'a> {
        let before = before.map(Self::entries).unwrap_or_default();
        let others = |of: &'a [Entry], than: &[Entry]| {
            of.iter().filter(|entry| !than.contains(entry)).collect()
        };
        Changes { added: others(&self.entries, before), removed: others(before, &self.entries) }
    }
}

fn find_fault(entries: &[Entry]) -> Result<(), InvalidLockfile> {
    let mut versions = BTreeMap::new();
    let mut blobs = BTreeMap::new();
    for (index, Entry { name, version, integrity, blob }) in entries.iter().enumerate() {
        if versions.insert((name, version), ()).is_some() {
            let (name, version) = (name.clone(), version.clone());
            return Err(InvalidLockfile::Repeated { index, name, version });
        }
        let first = *blobs.entry(integrity).or_insert(*blob);
        if first != *blob {
            return Err(InvalidLockfile::Ambiguous { index, blob: first });
        }
    }
    Ok(())
}

fn canonical_form(entries: &[Entry]) -> String {
    let mut text = String::new();
    for Entry { name, version, integrity, blob } in entries {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name}\t{version}\t{integrity}\t{blob}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, version: &str, content: &str) -> Entry {
        Entry {
            name: name.parse().unwrap(),
            version: version.parse().unwrap(),
            integrity: format!("sha512-{content}").parse().unwrap(),
            blob: BlobHash::of(content.as_bytes()),
        }
    }

    #[test]
    fn the_order_in_which_packages_are_given_makes_no_difference() {
        let (a, b) = (entry("a", "1", "a"), entry("@b/c", "2", "b"));
        let one = Lockfile::new(vec![a.clone(), b.clone()]).unwrap();
        let other = Lockfile::new(vec![b, a]).unwrap();
        assert_eq!(one, other);
        assert_eq!(one.hash(), other.hash());
        assert_eq!(one.hash(), LockfileHash::of(one.canonical_form().as_bytes()));
    }

    #[test]
    fn the_canonical_form_is_a_line_for_each_entry() {
        let lockfile = Lockfile::new(vec![entry("a", "1", "")]).unwrap();
        let empty = BlobHash::of(b"");
        assert_eq!(lockfile.canonical_form(), format!("a\t1\tsha512-\t{empty}\n"));
    }

    #[test]
    fn of_two_versions_the_first_stays_the_first() {
        let (old, new) = (entry("a", "2", "2"), entry("a", "10", "10"));
        let one = Lockfile::new(vec![old.clone(), new.clone()]).unwrap();
        assert_eq!(one.entries(), [old.clone(), new.clone()]);
        let other = Lockfile::new(vec![new, old]).unwrap();
        assert_ne!(one.hash(), other.hash());
    }

    #[test]
    fn whatever_an_entry_says_is_in_the_hash() {
        let of = |entry| Lockfile::new(vec![entry]).unwrap().hash();
        let first = entry("a", "1", "x");
        let mut others = vec![first.clone(), first.clone(), first.clone(), first.clone()];
        others[0].name = "b".parse().unwrap();
        others[1].version = "2".parse().unwrap();
        others[2].integrity = "key".parse().unwrap();
        others[3].blob = BlobHash::of(b"y");
        for other in others {
            assert_ne!(of(other.clone()), of(first.clone()), "{other:?}");
        }
    }

    #[test]
    fn entries_that_contradict_each_other_are_refused() {
        let refused = |entries| Lockfile::new(entries).unwrap_err();
        assert_eq!(refused(vec![]), InvalidLockfile::Empty);
        let twice = refused(vec![entry("a", "1", "x"), entry("b", "1", "y"), entry("a", "1", "z")]);
        assert!(matches!(twice, InvalidLockfile::Repeated { index: 2, .. }), "{twice}");
        let mut other = entry("b", "1", "y");
        other.integrity = entry("a", "1", "x").integrity;
        let ambiguous = refused(vec![entry("a", "1", "x"), other]);
        let blob = BlobHash::of(b"x");
        assert_eq!(ambiguous, InvalidLockfile::Ambiguous { index: 1, blob });
        let many = (0..=MAX_PACKAGES).map(|n| entry(&n.to_string(), "1", &n.to_string()));
        assert_eq!(refused(many.collect()), InvalidLockfile::TooMany(MAX_PACKAGES + 1));
    }

    #[test]
    fn two_packages_may_share_a_blob() {
        let entries = vec![entry("a", "1", "x"), entry("b", "1", "x")];
        assert_eq!(Lockfile::new(entries).unwrap().entries().len(), 2);
    }

    #[test]
    fn what_changed_is_what_only_one_of_both_has() {
        let (kept, old) = (entry("a", "1", "a"), entry("b", "1", "b"));
        let new = entry("b", "2", "c");
        let before = Lockfile::new(vec![kept.clone(), old.clone()]).unwrap();
        let after = Lockfile::new(vec![kept.clone(), new.clone()]).unwrap();
        let changes = after.changes_from(Some(&before));
        assert_eq!(changes, Changes { added: vec![&new], removed: vec![&old] });
        assert_eq!(after.changes_from(None).added, [&kept, &new]);
        assert_eq!(after.changes_from(Some(&after)), Changes::default());
    }
}
