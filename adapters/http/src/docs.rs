//! The page at `/docs` that shows `/openapi.json`: every file of it comes from this server, and no
//! request leaves its origin.

use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_SECURITY_POLICY;
use utoipa_swagger_ui::{Config, SwaggerUi};

/// Swagger UI styles elements from its scripts; everything else comes from its own files.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' \
    'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page.
pub(crate) fn page() -> Router {
    let config = Config::new(["/openapi.json"]).validator_url("none").doc_expansion("list");
    let page: Router = SwaggerUi::new("/docs").config(config).into();
    page.layer(map_response(with_policy))
}

async fn with_policy(mut response: Response) -> Response {
    let policy = HeaderValue::from_static(DOCS_POLICY);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}
