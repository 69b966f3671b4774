//! Where a list goes on: opaque text that names its list and filters, so that a cursor of another
//! list is refused instead of answering nonsense.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::dto::Page;
use crate::query::Query;

/// A list with its filters: what a cursor belongs to.
#[derive(Debug)]
pub(crate) struct List {
    name: &'static str,
    filters: u64,
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    list: String,
    filters: u64,
    after: String,
}

impl List {
    /// The list `name`, narrowed by `filters`, whatever they are.
    pub(crate) fn new(name: &'static str, filters: &impl Serialize) -> Self {
        let digest = Sha256::digest(serde_json::to_vec(filters).unwrap_or_default());
        let short = digest.iter().take(8).fold(0, |all, byte| all << 8 | u64::from(*byte));
        Self { name, filters: short }
    }

    /// The key of the last item of the page before, as `cursor` says; `Some(None)` for the first
    /// page, none and a fault for a cursor that is not of this list.
    pub(crate) fn after<K>(
        &self,
        query: &mut Query,
        key: impl FnOnce(&str) -> Option<K>,
    ) -> Option<Option<K>> {
        query.parsed("cursor", |text| {
            let cursor = decode(text).ok_or("is not a cursor that this server gave out")?;
            if cursor.list != self.name {
                return Err("belongs to another list");
            }
            if cursor.filters != self.filters {
                return Err("belongs to the same list with other filters");
            }
            key(&cursor.after).ok_or("is not a cursor that this server gave out")
        })
    }

    /// The first `limit` of `found`, which is one longer where the list goes on, as a page.
    pub(crate) fn page<I, D: for<'a> From<&'a I>>(
        &self,
        mut found: Vec<I>,
        limit: usize,
        key: impl FnOnce(&I) -> String,
    ) -> Page<D> {
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more);
        let next_cursor = last.map(|item| self.encode(key(item)));
        Page { items: found.iter().map(D::from).collect(), next_cursor }
    }

    fn encode(&self, after: String) -> String {
        let cursor = Cursor { list: self.name.to_owned(), filters: self.filters, after };
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
    }
}

fn decode(text: &str) -> Option<Cursor> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}
