//! Script packages: see and publish them, upload their blobs, see where satellites stand.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use futures_util::stream;
use groundcontrol_core::limits::MAX_PACKAGES;
use groundcontrol_core::packages::{BlobHash, Entry, LockfileHash, SyncState};
use groundcontrol_core::ports::{FleetService, LoadedBlob, Scope};
use groundcontrol_core::satellite::SatelliteId;
use http::header::CONTENT_TYPE;
use http::{HeaderName, StatusCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{AppState, Id};
use crate::access::guarded;
use crate::body::Fields;
use crate::cursor::List;
use crate::dto::{
    DesiredPackages, FindMissingBlobs, Lockfile, MissingBlobs, PackageBlob, PackageEntry,
    PackageSyncState, Page, Problem, PublishPackages,
};
use crate::problem::Refusal;
use crate::query::Query;
use crate::upload::Upload;

pub(super) fn router(service: &Arc<dyn FleetService>) -> OpenApiRouter<AppState> {
    let manage = |routes| guarded(service, Scope::SatelliteManage, routes);
    OpenApiRouter::new()
        .routes(manage(routes!(show)))
        .routes(manage(routes!(publish)))
        .routes(manage(routes!(clear)))
        .routes(manage(routes!(lockfile)))
        .routes(manage(routes!(find_missing)))
        .routes(manage(routes!(upload)))
        .routes(manage(routes!(download)))
        .routes(manage(routes!(sync_states)))
        .routes(manage(routes!(sync_state)))
}

/// See the desired packages
#[utoipa::path(
    get,
    path = "/api/v1/script-packages",
    operation_id = "getScriptPackages",
    tag = "script-packages",
    responses((status = 200, description = "The desired lockfile.", body = DesiredPackages)),
)]
async fn show(State(state): State<AppState>) -> Result<Json<DesiredPackages>, Refusal> {
    Ok(Json((&state.packages.desired_packages().await?).into()))
}

/// Publish packages
///
/// Makes a lockfile the desired one and tells all satellites. All its blobs must be held, and the
/// lockfile that it replaces must still be the one that was read.
#[utoipa::path(
    put,
    path = "/api/v1/script-packages",
    operation_id = "publishScriptPackages",
    tag = "script-packages",
    request_body = PublishPackages,
    responses(
        (status = 200, description = "The desired lockfile as it is now.", body = Lockfile),
        (status = 409, description = "Somebody else published meanwhile.", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
async fn publish(State(state): State<AppState>, fields: Fields) -> Result<Json<Lockfile>, Refusal> {
    let (expected, entries) = fields.read(|fields| {
        let expected = expected(fields);
        let given = fields.required::<Vec<PackageEntry>>("entries");
        let entries = given.and_then(|given| entries(fields, given));
        Some((expected?, entries?))
    })?;
    let published = state.packages.publish_packages(expected, entries).await?;
    Ok(Json((&published).into()))
}

/// The lockfile that is to be replaced, which must be named even where there is none.
fn expected(fields: &mut Fields) -> Option<Option<LockfileHash>> {
    let text: Option<String> = fields.required("expectedLockfileHash")?;
    match text.map(|text| text.parse()) {
        None => Some(None),
        Some(parsed) => fields.check("expectedLockfileHash", parsed).map(Some),
    }
}

fn entries(fields: &mut Fields, given: Vec<PackageEntry>) -> Option<Vec<Entry>> {
    if given.len() > MAX_PACKAGES {
        let detail = format!("has {} entries; at most {MAX_PACKAGES} are allowed", given.len());
        fields.fail_at("/entries".to_owned(), detail);
        return None;
    }
    let mut found = Vec::with_capacity(given.len());
    for (index, entry) in given.iter().enumerate() {
        let at = |field: &str| format!("/entries/{index}/{field}");
        let name = fields.check_at(&at("name"), entry.name.parse());
        let version = fields.check_at(&at("version"), entry.version.parse());
        let integrity = fields.check_at(&at("integrity"), entry.integrity.parse());
        let blob = fields.check_at(&at("blobSha256"), entry.blob_sha256.parse());
        if let (Some(name), Some(version), Some(integrity), Some(blob)) =
            (name, version, integrity, blob)
        {
            found.push(Entry { name, version, integrity, blob });
        }
    }
    (found.len() == given.len()).then_some(found)
}

/// Have no packages
///
/// Satellites are told to import from none. What they unpacked stays with them until they unpack
/// something else.
#[utoipa::path(
    delete,
    path = "/api/v1/script-packages",
    operation_id = "clearScriptPackages",
    tag = "script-packages",
    responses((status = 204, description = "No packages are desired.")),
)]
async fn clear(State(state): State<AppState>) -> Result<StatusCode, Refusal> {
    state.packages.clear_packages().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// See a lockfile
///
/// The desired one, or one that was not long ago.
#[utoipa::path(
    get,
    path = "/api/v1/script-packages/lockfiles/{lockfileHash}",
    operation_id = "getScriptPackageLockfile",
    tag = "script-packages",
    params(("lockfileHash" = String, Path, description = "The lockfile's hash")),
    responses((status = 200, description = "The lockfile.", body = Lockfile)),
)]
async fn lockfile(
    State(state): State<AppState>,
    Path(hash): Path<String>,
) -> Result<Json<Lockfile>, Refusal> {
    let hash = hash.parse().map_err(|_| Refusal::not_found("lockfile"))?;
    Ok(Json((&state.packages.lockfile(hash).await?).into()))
}

/// Find missing blobs
///
/// Which of these are not held, and must be uploaded before a lockfile can name them. The others
/// stay for a day at least.
#[utoipa::path(
    post,
    path = "/api/v1/script-packages/blobs/find-missing",
    operation_id = "findMissingScriptPackageBlobs",
    tag = "script-packages",
    request_body = FindMissingBlobs,
    responses((status = 200, description = "Those that are not held.", body = MissingBlobs)),
)]
async fn find_missing(
    State(state): State<AppState>,
    fields: Fields,
) -> Result<Json<MissingBlobs>, Refusal> {
    let blobs = fields.read(|fields| {
        let blobs = fields.each("blobs", |text| text.parse::<BlobHash>())?;
        if blobs.len() > MAX_PACKAGES {
            let detail = format!("has {} entries; at most {MAX_PACKAGES} are allowed", blobs.len());
            fields.fail_at("/blobs".to_owned(), detail);
        }
        Some(blobs)
    })?;
    let missing = state.packages.missing_blobs(blobs.into_iter().collect()).await?;
    Ok(Json(MissingBlobs { missing: missing.iter().map(ToString::to_string).collect() }))
}

/// Upload a blob
///
/// A gzipped tar whose files are all in one folder, as npm packs them: at most 11 MiB, and 256 MiB
/// unpacked. It is checked while it arrives, and stored once all of it is there.
#[utoipa::path(
    put,
    path = "/api/v1/script-packages/blobs/{sha256}",
    operation_id = "uploadScriptPackageBlob",
    tag = "script-packages",
    params(("sha256" = String, Path, description = "The SHA-256 of its bytes")),
    request_body(content = Vec<u8>, content_type = "application/gzip"),
    responses(
        (status = 200, description = "It was held already.", body = PackageBlob),
        (status = 201, description = "It is held now.", body = PackageBlob),
    ),
)]
async fn upload(
    State(state): State<AppState>,
    Path(hash): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<PackageBlob>), Refusal> {
    let hash = hash.parse().map_err(|_| Refusal::not_found("blob"))?;
    let stored =
        state.packages.store_blob(hash, Box::new(Upload::of(request, &state).await?)).await?;
    let status = if stored.is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json((&stored).into())))
}

/// Download a blob
#[utoipa::path(
    get,
    path = "/api/v1/script-packages/blobs/{sha256}",
    operation_id = "downloadScriptPackageBlob",
    tag = "script-packages",
    params(("sha256" = String, Path, description = "The SHA-256 of its bytes")),
    responses((status = 200, description = "Its bytes.", body = Vec<u8>,
        content_type = "application/gzip")),
)]
async fn download(
    State(state): State<AppState>,
    Path(hash): Path<String>,
) -> Result<([(HeaderName, &'static str); 1], Body), Refusal> {
    let hash = hash.parse().map_err(|_| Refusal::not_found("blob"))?;
    let loaded = state.packages.load_blob(hash).await?;
    Ok(([(CONTENT_TYPE, "application/gzip")], body_of(loaded)))
}

/// The pieces, one after the other; the blob is let go once the last one was taken.
fn body_of(loaded: LoadedBlob) -> Body {
    let pieces = stream::unfold((loaded, 0), |(loaded, at)| async move {
        let piece = loaded.blob.pieces().get(at)?.to_vec();
        Some((Ok::<_, std::convert::Infallible>(piece), (loaded, at + 1)))
    });
    Body::from_stream(pieces)
}

/// See where satellites stand
///
/// What each satellite said last of its packages, ordered by id. Those that said nothing are left
/// out.
#[utoipa::path(
    get,
    path = "/api/v1/script-packages/sync-states",
    operation_id = "listScriptPackageSyncStates",
    tag = "script-packages",
    params(
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "At most this many; 100 where it is absent."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before."),
    ),
    responses((status = 200, description = "A page of them.", body = Page<PackageSyncState>)),
)]
async fn sync_states(
    State(state): State<AppState>,
    query: Query,
) -> Result<Json<Page<PackageSyncState>>, Refusal> {
    let list = List::new("script-package-sync-states", &());
    let (after, limit) = query.read(|query| {
        let limit = query.limit();
        Some((list.after(query, |id| id.parse::<SatelliteId>().ok())?, limit?))
    })?;
    let found = state.packages.sync_states(after, limit + 1).await?;
    Ok(Json(list.page(found, limit, |state: &SyncState| state.satellite.to_string())))
}

/// See where a satellite stands
#[utoipa::path(
    get,
    path = "/api/v1/satellites/{id}/script-packages",
    operation_id = "getSatelliteScriptPackages",
    tag = "script-packages",
    params(("id" = Uuid, Path, description = "The satellite's id")),
    responses((status = 200, description = "What it said last.", body = PackageSyncState)),
)]
async fn sync_state(
    State(state): State<AppState>,
    Id(id): Id<SatelliteId>,
) -> Result<Json<PackageSyncState>, Refusal> {
    match state.packages.sync_state(id).await? {
        Some(found) => Ok(Json((&found).into())),
        None => Err(Refusal::not_found("word of that satellite about its packages")),
    }
}
