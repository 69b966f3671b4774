//! The tokens of the HTTP API.

use std::fmt;

use async_trait::async_trait;
use uuid::Uuid;

use super::StoreResult;
use crate::satellite::TokenHash;
use crate::time::Timestamp;

/// API tokens: who may ask what of the HTTP API.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ApiTokenStore: Send + Sync {
    /// Stores a token. The same id twice is one token; the later name, scopes and hash hold.
    async fn put(&self, new: NewApiToken) -> StoreResult<()>;

    /// The token with this hash.
    async fn find(&self, hash: &TokenHash) -> StoreResult<Option<ApiToken>>;

    /// All tokens, oldest first.
    async fn list(&self) -> StoreResult<Vec<ApiToken>>;

    /// Deletes a token; false when there was none.
    async fn delete(&self, id: ApiTokenId) -> StoreResult<bool>;
}

/// The id of an API token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiTokenId(pub Uuid);

/// A token to be stored.
#[derive(Clone, Debug)]
pub struct NewApiToken {
    /// The token.
    pub token: ApiToken,
    /// The hash of its text.
    pub hash: TokenHash,
}

/// What is known of a token; never its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id.
    pub id: ApiTokenId,
    /// What it is called.
    pub name: String,
    /// What it may.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From this moment on it is refused; none: it stays valid.
    pub expires_at: Option<Timestamp>,
}

/// What an API token may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Read satellites, connections, events.
    SatelliteRead,
    /// Change them; implies reading.
    SatelliteManage,
    /// Everything, API tokens included.
    Admin,
}

impl Scope {
    /// Every scope, in ascending order of power.
    pub const ALL: &'static [Self] = &[Self::SatelliteRead, Self::SatelliteManage, Self::Admin];

    /// The name in store and API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SatelliteRead => "satellite.read",
            Self::SatelliteManage => "satellite.manage",
            Self::Admin => "admin",
        }
    }

    /// The scope called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.name() == name)
    }

    /// Whether having `self` allows what needs `needed`.
    ///
    /// ```
    /// use groundcontrol_core::ports::Scope;
    /// assert!(Scope::SatelliteManage.allows(Scope::SatelliteRead));
    /// assert!(!Scope::SatelliteRead.allows(Scope::SatelliteManage));
    /// ```
    pub fn allows(self, needed: Self) -> bool {
        self >= needed
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for ApiTokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_allows_itself_and_what_is_less() {
        let allowed = |held: Scope| Scope::ALL.iter().map(move |needed| held.allows(*needed));
        let allowed: Vec<Vec<bool>> =
            Scope::ALL.iter().map(|held| allowed(*held).collect()).collect();
        assert_eq!(allowed, [[true, false, false], [true, true, false], [true, true, true]]);
    }

    #[test]
    fn every_scope_is_found_by_its_name_and_no_other_is() {
        for scope in Scope::ALL {
            assert_eq!(Scope::from_name(scope.name()), Some(*scope));
            assert_eq!(scope.to_string(), scope.name());
        }
        assert_eq!(Scope::from_name("satellite"), None);
    }

    #[test]
    fn an_id_is_shown_hyphenated() {
        let id = ApiTokenId(Uuid::from_u128(7));
        assert_eq!(id.to_string(), "00000000-0000-0000-0000-000000000007");
    }
}
