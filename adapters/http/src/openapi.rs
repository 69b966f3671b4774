//! The OpenAPI document: what it says about everything, and what follows for an operation from
//! its scope, path, parameters and body. What an operation says of itself stands at its handler.

use groundcontrol_core::ports::Scope;
use serde_json::json;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem, Paths};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref,
    RefOr, Required, Response, ResponseBuilder,
};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::dto::{FieldProblem, PROBLEM_JSON, Problem};
use crate::problem::{Kind, Refusal};

const SCHEME: &str = "apiToken";

const ABOUT: &str = "Satellites, their connections, and what happens to them. Errors are \
    `application/problem+json` (RFC 9457). Lists are `{items, nextCursor?}`: send `nextCursor` \
    as `cursor`, with the same filters, for the next page. Points in time are RFC 3339 in UTC with \
    milliseconds. Request bodies and queries with unknown fields or parameters are refused.";

const ABOUT_TOKENS: &str = "An API token. Its scopes: `satellite.read`, `satellite.manage` \
    (implies `satellite.read`), `admin` (implies both). The scope that an operation needs is listed \
    in its security requirement. A browser that signed in at `/api/v1/session` sends it in a cookie \
    instead.";

/// Every error that more than one operation answers: its status, its name among the components,
/// and an example.
fn shared_errors() -> Vec<(&'static str, &'static str, Refusal)> {
    let invalid = Refusal::field("/name", "must not be empty");
    vec![
        ("400", "Malformed", Refusal::new(Kind::Malformed, "no JSON: EOF at line 1 column 9")),
        ("401", "Unauthenticated", Refusal::no_token()),
        ("403", "MissingScope", Refusal::missing_scope(Scope::SatelliteManage)),
        ("404", "NotFound", Refusal::not_found("satellite")),
        ("408", "TooSlow", Refusal::new(Kind::TooSlow, "send all of it within 30 s")),
        ("409", "Conflict", Refusal::new(Kind::Busy, "try again")),
        ("413", "TooLarge", Refusal::too_large()),
        ("415", "NotJson", Refusal::new(Kind::NotJson, "send JSON")),
        ("422", "Invalid", invalid),
        ("500", "Internal", Refusal::internal()),
        ("503", "Unavailable", Refusal::new(Kind::Unavailable, "try again")),
    ]
}

/// The document without its operations.
pub(crate) fn base() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Ground Control")
        .description(Some(ABOUT))
        .version(env!("CARGO_PKG_VERSION"))
        .license(Some(
            LicenseBuilder::new()
                .name("Apache-2.0 OR MIT")
                .identifier(Some("Apache-2.0 OR MIT"))
                .build(),
        ));
    let mut components = ComponentsBuilder::new()
        .schema(Problem::name(), Problem::schema())
        .schema(FieldProblem::name(), FieldProblem::schema());
    for (_, name, example) in shared_errors() {
        components = components.response(name, problem_response(&example));
    }
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.description = Some(ABOUT_TOKENS.to_owned());
    let components = components.security_scheme(SCHEME, SecurityScheme::Http(bearer)).build();
    let tag = |name, about: &str| TagBuilder::new().name(name).description(Some(about)).build();
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .tags(Some([
            tag("satellites", "Make, see, change and remove satellites."),
            tag("connections", "Who is online, since when, and what happened before."),
            tag("events", "What happens, as it happens."),
            tag("automations", "What can start from events, and who is told of them."),
            tag("work", "What satellites run: systems, checks, and who is assigned to which."),
            tag("script-packages", "What scripts may import, and which satellites have it."),
            tag(
                "secrets",
                "What configurations refer to, and who got which. Values never come out.",
            ),
            tag("api-tokens", "Who may use this API."),
            tag("session", "Signing in from a browser, as the console at `/` does."),
            tag("operations", "Probes, figures and this document. No token needed."),
        ]))
        .build()
}

/// Adds to operations that `scope` guards what follows from that, and from their form.
pub(crate) fn describe_guarded(paths: &mut Paths, scope: Scope) {
    for (path, item) in &mut paths.paths {
        for (method, operation) in operations(item) {
            operation.security = Some(vec![SecurityRequirement::new(SCHEME, [scope.name()])]);
            let mut statuses = vec!["401", "403", "500", "503"];
            if path.contains('{') {
                statuses.push("404");
            }
            if operation.request_body.is_some() {
                statuses.extend(["400", "408", "413", "415", "422"]);
            }
            if has_query(operation) {
                statuses.push("422");
            }
            if scope == Scope::SatelliteManage && method != "get" {
                statuses.push("409");
            }
            answer(operation, &statuses);
        }
    }
}

/// Says of operations without a guard that they need no token; some take one in their body.
pub(crate) fn describe_open(paths: &mut Paths) {
    for item in paths.paths.values_mut() {
        for (method, operation) in operations(item) {
            operation.security = Some(vec![]);
            answer(operation, &["500"]);
            if method != "get" {
                answer(operation, &["403"]);
            }
            if operation.request_body.is_some() {
                answer(operation, &["400", "401", "408", "413", "415", "422", "503"]);
            }
        }
    }
}

/// Says of operations that they may be asked without a body.
pub(crate) fn describe_optional_body(paths: &mut Paths) {
    for item in paths.paths.values_mut() {
        for (_, operation) in operations(item) {
            if let Some(RefOr::T(body)) = &mut operation.request_body {
                body.required = Some(Required::False);
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, post, put, patch, delete, .. } = item;
    let all = [("get", get), ("post", post), ("put", put), ("patch", patch), ("delete", delete)];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn has_query(operation: &Operation) -> bool {
    operation.parameters.iter().flatten().any(|parameter| match parameter {
        RefOr::T(parameter) => parameter.parameter_in == ParameterIn::Query,
        RefOr::Ref(_) => false,
    })
}

/// Adds the shared errors of `statuses` that the operation does not describe itself.
fn answer(operation: &mut Operation, statuses: &[&str]) {
    for (status, name, _) in shared_errors() {
        if statuses.contains(&status) {
            let reference = RefOr::Ref(Ref::from_response_name(name));
            operation.responses.responses.entry(status.to_owned()).or_insert(reference);
        }
    }
}

fn problem_response(example: &Refusal) -> Response {
    let problem = example.problem();
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(Problem::name())))
        .example(Some(json!(problem)))
        .build();
    ResponseBuilder::new().description(problem.title).content(PROBLEM_JSON, content).build()
}
