//! Bodies that are passed on as they arrive.

use std::time::Duration;

use async_trait::async_trait;
use axum::body::BodyDataStream;
use axum::extract::Request;
use futures_util::StreamExt as _;
use groundcontrol_core::limits::MAX_BLOB;
use groundcontrol_core::ports::{BlobFault, BlobStream};
use groundcontrol_core::time::Millis;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use tokio::time::{Instant, timeout_at};

use crate::problem::{Kind, Refusal};
use crate::routes::AppState;

/// The media types of a blob.
const MEDIA_TYPES: [&str; 3] =
    ["application/gzip", "application/x-gzip", "application/octet-stream"];

/// Bytes of a blob that is too large which are read all the same: who is cut off while it still sends
/// may never read the answer.
const LET_GO: u64 = 2 * MAX_BLOB as u64;

/// A blob that is being uploaded.
pub(crate) struct Upload {
    body: BodyDataStream,
    until: Instant,
    within: Duration,
}

impl Upload {
    /// The body of a request, if it says that it may be a blob.
    pub(crate) async fn of(request: Request, state: &AppState) -> Result<Self, Refusal> {
        let announced = announced(&request)?;
        let within = state.settings.upload_within;
        let body = request.into_body().into_data_stream();
        let mut upload = Self { body, until: Instant::now() + within, within };
        match announced {
            Some(length) if length > MAX_BLOB as u64 => {
                if length <= LET_GO {
                    while let Ok(Some(_)) = upload.next().await {}
                }
                Err(BlobFault::TooLarge.into())
            }
            _ => Ok(upload),
        }
    }
}

/// How long a body says that it is, if it says that it may be a blob.
fn announced(request: &Request) -> Result<Option<u64>, Refusal> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let media_type = header(CONTENT_TYPE).unwrap_or_default().trim().to_ascii_lowercase();
    if !MEDIA_TYPES.contains(&media_type.as_str()) {
        let detail = format!("send it as \"Content-Type: application/gzip\", not {media_type:?}");
        return Err(Refusal::new(Kind::NotGzip, detail));
    }
    Ok(header(CONTENT_LENGTH).and_then(|length| length.parse().ok()))
}

#[async_trait]
impl BlobStream for Upload {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, BlobFault> {
        match timeout_at(self.until, self.body.next()).await {
            Ok(None) => Ok(None),
            Ok(Some(Ok(bytes))) => Ok(Some(bytes.into())),
            Ok(Some(Err(error))) => Err(BlobFault::BrokenOff(error.to_string())),
            Err(_) => {
                let within = Millis::from(self.within);
                Err(BlobFault::TooSlow(format!("send all of it within {within}")))
            }
        }
    }
}
