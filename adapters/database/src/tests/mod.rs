//! What holds of this adapter beyond its ports: how writes are grouped, which indexes are used,
//! what happens when the database fails. The ports' own promises are held by `tests/conformance`.

mod group_commit;
mod failures;
mod opening;
mod query_plans;
mod silence;
mod rows;
mod server;

use std::path::Path;

use groundcontrol_core::connection::{Command, Decision, Origin, decide};
use groundcontrol_core::ports::{
    ConnectionSnapshot, CreateOutcome, EdgeWrite, Guard, NewSatellite, SatelliteStore,
};
use groundcontrol_core::satellite::{
    HashedToken, PodName, ReportedAgent, Satellite, SatelliteId, SessionId, Tags, Token, TokenHash,
    TokenId,
};
use groundcontrol_core::time::{Millis, Timestamp};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{DatabaseStore, Options};

const SETTLE: Millis = Millis::new(250);

fn id(number: u128) -> SatelliteId {
    SatelliteId(Uuid::from_u128(number))
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn url(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("store.db").display())
}

fn satellite(number: u128, tags: Tags) -> NewSatellite {
    NewSatellite {
        satellite: Satellite {
            id: id(number),
            name: format!("satellite {number}").parse().unwrap(),
            region: "eu".parse().unwrap(),
            tags,
            own_threshold: None,
            enabled: true,
            agent: ReportedAgent::default(),
            managed_by: None,
            created_at: at(0),
        },
        token: HashedToken {
            id: TokenId(Uuid::from_u128(number)),
            hash: TokenHash::of(&Token::for_satellite([number as u8; 32])),
            expires_at: None,
        },
    }
}

/// An empty store with its folder.
async fn store() -> (DatabaseStore, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = DatabaseStore::open(&url(folder.path()), Options::default()).await.unwrap();
    (store, folder)
}

/// A store with satellites 1 to `count`.
async fn fleet(count: u128) -> (DatabaseStore, TempDir) {
    let (store, folder) = store().await;
    for number in 1..=count {
        let created = store.create(satellite(number, Tags::default())).await;
        assert_eq!(created, Ok(CreateOutcome::Created));
    }
    (store, folder)
}

async fn read(store: &DatabaseStore, number: u128) -> ConnectionSnapshot {
    store.snapshot(id(number)).await.unwrap().unwrap()
}

/// A connect of `session` that was decided on `read`.
fn connect(read: &ConnectionSnapshot, session: u128) -> EdgeWrite {
    let command = Command::Connect {
        session: SessionId(Uuid::from_u128(session)),
        token: TokenId(Uuid::from_u128(1)),
        seen_epoch: read.record.epoch,
        credential_version: read.credential_version,
    };
    let now = at(1_000);
    match decide(&read.record, &command, &read.context(now, SETTLE)) {
        Decision::Record(change) => {
            let origin = Origin { pod: PodName::new("pod"), actor: None, remote_address: None };
            EdgeWrite { read: read.clone(), change, guard: Guard::Credential, origin, now }
        }
        other => panic!("{other:?}"),
    }
}
