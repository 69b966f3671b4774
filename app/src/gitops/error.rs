//! What is wrong with documents, and where.

use std::fmt;
use std::sync::Arc;

/// Faults that are told at once.
const TOLD: usize = 20;

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as the reader knows it.
    pub file: Arc<str>,
    /// The line, from 1; 0 where it is not known.
    pub line: u64,
}

/// What is wrong with one document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {}{detail}", Field(field))]
pub struct DocumentError {
    /// Where.
    pub place: Place,
    /// The field, as `spec.config.url`; empty for the document itself.
    pub field: String,
    /// What is wrong.
    pub detail: String,
}

/// Everything that is wrong with some documents, in the order of their places. None of them was
/// applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<DocumentError>);

impl Faults {
    /// Those of `faults`, which are not none.
    pub fn new(mut faults: Vec<DocumentError>) -> Self {
        faults.sort_by(|a, b| a.place.cmp(&b.place));
        Self(faults)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &DocumentError> {
        self.0.iter()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.0.iter().take(TOLD).enumerate() {
            let separator = if at == 0 { "" } else { "; " };
            write!(f, "{separator}{fault}")?;
        }
        match self.0.len().saturating_sub(TOLD) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl std::error::Error for Faults {}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

struct Field<'a>(&'a str);

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => Ok(()),
            field => write!(f, "{field}: "),
        }
    }
}
