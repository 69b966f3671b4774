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

/// A blob that is being uploaded.
pub(crate) struct Upload {
    body: BodyDataStream,
    until: Instant,
    within: Duration,
}

impl Upload {
    /// The body of a request, if it says that it may be a blob.
    pub(crate) fn of(request: Request, state: &AppState) -> Result<Self, Refusal> {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let media_type = header(CONTENT_TYPE).unwrap_or_default().trim().to_ascii_lowercase();
        if !MEDIA_TYPES.contains(&media_type.as_str()) {
            let detail =
                format!("send it as \"Content-Type: application/gzip\", not {media_type:?}");
            return Err(Refusal::new(Kind::NotGzip, detail));
        }
        let announced = header(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
        if announced.is_some_and(|length| length > MAX_BLOB as u64) {
            return Err(BlobFault::TooLarge.into());
        }
        let within = state.settings.upload_within;
        let body = request.into_body().into_data_stream();
        Ok(Self { body, until: Instant::now() + within, within })
    }
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
