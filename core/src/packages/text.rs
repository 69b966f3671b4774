//! The texts of a lockfile's entries.

use std::fmt;

use crate::limits::{MAX_INTEGRITY_CHARS, MAX_PACKAGE_NAME_CHARS, MAX_PACKAGE_VERSION_CHARS};
use crate::satellite::TextError;
use crate::satellite::text::check;

/// The text names no package. The message completes "this field …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be \"name\" or \"@scope/name\" of ASCII letters, digits and -_.~, neither part beginning \
     with a dot, and of at most {MAX_PACKAGE_NAME_CHARS} characters"
)]
pub struct NotAPackageName;

/// A package's name: `name` or `@scope/name`. It is a path below any folder, and never leads out.
///
/// ```
/// use groundcontrol_core::packages::PackageName;
/// assert_eq!("@scope/left-pad".parse::<PackageName>().unwrap().as_str(), "@scope/left-pad");
/// assert!("../left-pad".parse::<PackageName>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageName(Box<str>);

impl PackageName {
    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for PackageName {
    type Err = NotAPackageName;
    fn from_str(text: &str) -> Result<Self, NotAPackageName> {
        let fits = match text.split_once('/') {
            None => is_folder_name(text),
            Some((scope, name)) => {
                scope.strip_prefix('@').is_some_and(is_folder_name) && is_folder_name(name)
            }
        };
        if fits && text.len() <= MAX_PACKAGE_NAME_CHARS {
            Ok(Self(text.into()))
        } else {
            Err(NotAPackageName)
        }
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `text` can name a file in a folder, and no hidden one: ASCII letters, digits and
/// `-_.~`, at most 214 of them, the first no dot.
pub fn is_folder_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    let plain = (1..=MAX_PACKAGE_NAME_CHARS).contains(&text.len()) && text.chars().all(fits);
    plain && !text.starts_with('.')
}

macro_rules! entry_text {
    ($(#[$doc:meta])* $name:ident, $most:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The text as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = TextError;
            fn from_str(text: &str) -> Result<Self, TextError> {
                check(text, $most)?;
                Ok(Self(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

entry_text! {
    /// A package's version: 1–256 characters, no control characters. It is shown, and compared
    /// with nothing but itself.
    PackageVersion, MAX_PACKAGE_VERSION_CHARS
}

entry_text! {
    /// The key by which a satellite asks for an entry's blob, as package managers write it
    /// (`sha512-…`): 1–512 characters, no control characters. Opaque: nothing is checked against it.
    Integrity, MAX_INTEGRITY_CHARS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_path_below_a_folder_are_refused() {
        for name in ["left-pad", "@a/b", "a.b~c_d-1", "@A/B"] {
            assert!(name.parse::<PackageName>().is_ok(), "{name}");
        }
        let long = "a".repeat(MAX_PACKAGE_NAME_CHARS + 1);
        for name in
            ["", ".", "..", "a/b", "@/x", "@a/../b", ".hidden", "/etc", "@a/b/c", "a b", "é", &long]
        {
            assert_eq!(name.parse::<PackageName>(), Err(NotAPackageName), "{name}");
        }
    }

    #[test]
    fn versions_and_keys_hold_no_control_characters() {
        assert!("1.0.0-rc.1+build".parse::<PackageVersion>().is_ok());
        assert!("sha512-a== sha1-b=".parse::<Integrity>().is_ok());
        assert_eq!("1\t2".parse::<PackageVersion>(), Err(TextError::Control('\t')));
        assert_eq!("".parse::<Integrity>(), Err(TextError::Empty));
        let long = "x".repeat(MAX_INTEGRITY_CHARS + 1);
        assert!(matches!(long.parse::<Integrity>(), Err(TextError::TooLong { .. })));
    }
}
