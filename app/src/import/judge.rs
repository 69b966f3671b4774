//! Whether a row can be a satellite of ours.

use bcrypt::HashParts;
use groundcontrol_core::satellite::{
    HashedToken, Name, OwnThreshold, Region, ReportedAgent, Satellite, SatelliteId, Tags,
    TokenHash, TokenId,
};
use groundcontrol_core::time::{Millis, Timestamp};
use uuid::Uuid;

use crate::wiring::CheckstackSatellite;

/// Cost factors that are taken. What costs more takes a core for so long that a few connecting
/// agents could keep all others out.
const COSTS: std::ops::RangeInclusive<u32> = 4..=12;

/// A satellite that can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    /// The satellite.
    pub satellite: Satellite,
    /// Its token, as bcrypt.
    pub token: HashedToken,
}

/// Why a row cannot be a satellite of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which row: its name and id, as they are there.
    pub row: String,
    /// Everything that is wrong with it.
    pub why: Vec<String>,
}

/// The satellite that a row describes, or everything that is wrong with it. `interval` is the
/// fleet's heartbeat interval, `now` when it is made where the row does not say.
pub fn judge(
    row: &CheckstackSatellite,
    interval: Millis,
    now: Timestamp,
) -> Result<Sound, Problem> {
    let mut why = row.faults.clone();
    let mut sound = |result: Result<(), String>| why.extend(result.err());
    let (mut id, mut name, mut region, mut tags) = (None, None, None, None);
    let (mut own_threshold, mut hash) = (None, None);
    sound(uuid(&row.id).map(|found| id = Some(found)));
    sound(named::<Name>("name", row.name.as_deref()).map(|found| name = Some(found)));
    sound(named::<Region>("region", row.region.as_deref()).map(|found| region = Some(found)));
    let labels = Tags::new(row.tags.clone());
    sound(labels.map(|found| tags = Some(found)).map_err(|(key, why)| match key {
        Some(key) => format!("the tag {key:?} {why}"),
        None => format!("tags: {why}"),
    }));
    sound(threshold(row.offline_threshold_ms, interval).map(|found| own_threshold = found));
    sound(hash_of(row.hash()).map(|found| hash = Some(found)));
    let whole = id.zip(name).zip(region).zip(tags).zip(hash).filter(|_| why.is_empty());
    let Some(((((id, name), region), tags), hash)) = whole else {
        let name = row.name.as_deref().unwrap_or("without a name");
        return Err(Problem { row: format!("{name} ({})", row.id), why });
    };
    let capabilities = Some(row.capabilities.as_slice());
    let agent = ReportedAgent::default().updated(row.version.as_deref(), capabilities);
    let created_at = row.created_at.unwrap_or(now);
    let satellite = Satellite {
        id,
        name,
        region,
        tags,
        own_threshold,
        enabled: true,
        agent,
        managed_by: None,
        created_at,
    };
    let token = HashedToken { id: TokenId(Uuid::new_v4()), hash, expires_at: None };
    Ok(Sound { satellite, token })
}

fn uuid(text: &str) -> Result<SatelliteId, String> {
    text.parse().map_err(|_| format!("the id {text:?} is no UUID"))
}

fn named<T: std::str::FromStr<Err: std::fmt::Display>>(
    field: &str,
    text: Option<&str>,
) -> Result<T, String> {
    let text = text.ok_or_else(|| format!("{field} is missing"))?;
    text.parse().map_err(|why| format!("{field} {text:?} {why}"))
}

/// What is not positive is none (rule S2).
fn threshold(millis: Option<i64>, interval: Millis) -> Result<Option<OwnThreshold>, String> {
    let positive = millis.and_then(|millis| u64::try_from(millis).ok()).filter(|span| *span > 0);
    let Some(millis) = positive else { return Ok(None) };
    let own = OwnThreshold::new(Millis::new(millis), interval);
    own.map(Some).map_err(|why| format!("offline_threshold_ms {millis} {why}"))
}

fn hash_of(text: Option<&str>) -> Result<TokenHash, String> {
    let text = text.ok_or("token_hash is missing")?;
    let parts: HashParts = text.parse().map_err(|_| "token_hash is no bcrypt hash".to_owned())?;
    let cost = parts.get_cost();
    if !COSTS.contains(&cost) {
        let (least, most) = (COSTS.start(), COSTS.end());
        return Err(format!("token_hash has the cost {cost}; {least} to {most} are taken"));
    }
    Ok(TokenHash::Bcrypt(text.to_owned()))
}
