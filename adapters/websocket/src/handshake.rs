//! The answer to an upgrade request.

use bytes::Bytes;
use http::header::{ALLOW, HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

/// The answer to a request for a WebSocket; 101 when it may become one (RFC 6455, 4.2.1).
pub(crate) fn answer<B>(request: &Request<B>) -> Response<Full<Bytes>> {
    match create_response_with_body(request, Full::default) {
        Ok(switching) => switching,
        Err(Error::Protocol(ProtocolError::WrongHttpMethod)) => with(
            refusal(StatusCode::METHOD_NOT_ALLOWED, "A WebSocket begins with GET."),
            ALLOW,
            HeaderValue::from_static("GET"),
        ),
        Err(Error::Protocol(
            ProtocolError::MissingConnectionUpgradeHeader
            | ProtocolError::MissingUpgradeWebSocketHeader,
        )) => with(
            refusal(
                StatusCode::UPGRADE_REQUIRED,
                "This is the satellites' WebSocket: send Connection: Upgrade and \
                 Upgrade: websocket.",
            ),
            UPGRADE,
            HeaderValue::from_static("websocket"),
        ),
        Err(Error::Protocol(ProtocolError::MissingSecWebSocketVersionHeader)) => with(
            refusal(StatusCode::UPGRADE_REQUIRED, "Send Sec-WebSocket-Version: 13."),
            SEC_WEBSOCKET_VERSION,
            HeaderValue::from_static("13"),
        ),
        Err(_) => refusal(
            StatusCode::BAD_REQUEST,
            "Not a WebSocket handshake: HTTP/1.1 and a Sec-WebSocket-Key of 16 bytes in base64 \
             are needed.",
        ),
    }
}

/// The answer of a server that takes no new sockets.
pub(crate) fn stopping() -> Response<Full<Bytes>> {
    with(
        refusal(StatusCode::SERVICE_UNAVAILABLE, "This server is stopping; dial again."),
        RETRY_AFTER,
        HeaderValue::from_static("1"),
    )
}

fn refusal(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    with(response, http::header::CONTENT_TYPE, HeaderValue::from_static("text/plain"))
}

fn with(
    mut response: Response<Full<Bytes>>,
    name: http::HeaderName,
    value: HeaderValue,
) -> Response<Full<Bytes>> {
    response.headers_mut().insert(name, value);
    response
}
