//! The event stream: Server-Sent Events, resumable.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt as _, stream};
use groundcontrol_core::connection::EventKind;
use groundcontrol_core::ports::{
    EventCursor, EventFeed, FeedItem, FleetService, NotACursor, Scope, Signal as CoreSignal,
};
use groundcontrol_core::satellite::SatelliteId;
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderName};
use tokio::sync::OwnedSemaphorePermit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AppState;
use crate::access::{Authorised, guarded};
use crate::dto::{CloudEvent, Signal, StreamMessage, not_one_of};
use crate::problem::{Kind, Refusal};
use crate::query::Query;
use crate::telemetry::OpenStream;

const LAST_EVENT_ID: &str = "Last-Event-ID";
/// Tells nginx and its like to pass on every event at once.
const NO_BUFFERING: (HeaderName, &str) = (HeaderName::from_static("x-accel-buffering"), "no");
const NOT_KEPT: (HeaderName, &str) = (CACHE_CONTROL, "no-store");

pub(super) fn router(service: &Arc<dyn FleetService>) -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(guarded(service, Scope::SatelliteRead, routes!(events)))
}

/// Follow events
///
/// Server-Sent Events without an `event:` field, so that `onmessage` of an EventSource hears all.
/// The `data:` of each is one JSON object, told apart by its `type`. Events carry an `id:`: send
/// the last one as `Last-Event-ID` to go on behind it without a gap or a double. Without it the
/// stream begins with what happens from now on. Signals carry no `id:` and are not repeated.
/// A comment with the `id:` where the stream begins comes at once, so that a stream which breaks
/// before its first event goes on without a gap too; then one comes whenever nothing was said for
/// 15 seconds. The stream ends when
/// the server stops or the token is no longer good: dial again.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "followEvents",
    tag = "events",
    params(
        ("Last-Event-ID" = Option<String>, Header,
            description = "The `id:` of the last event that was received."),
        ("lastEventId" = Option<String>, Query,
            description = "The same, for clients that cannot set headers; the header wins."),
        ("types" = Option<String>, Query, example = "satellite.connected,satellite.disconnected",
            description = "Only events and signals of these types, separated by commas."),
        ("satelliteId" = Option<Uuid>, Query, description = "Only of this satellite."),
    ),
    responses((status = 200, description = "The stream; each `data:` is one of these.",
        body = StreamMessage, content_type = "text/event-stream")),
)]
async fn events(
    State(state): State<AppState>,
    Extension(authorised): Extension<Authorised>,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Refusal> {
    let resumed = header_cursor(&headers)?;
    let (asked, filter) = query.read(|query| {
        let asked = query.parsed("lastEventId", |text| text.parse());
        let filter = Filter::read(query);
        Some((asked?, filter?))
    })?;
    let permit = Arc::clone(&state.streams).try_acquire_owned();
    let most = state.settings.max_event_streams;
    let full = || Refusal::new(Kind::TooManyStreams, format!("{most} are open on this server"));
    let permit = permit.map_err(|_| full())?;
    let feed = state.service.events(resumed.or(asked)).await?;
    let keep_alive = KeepAlive::new().interval(state.settings.keep_alive);
    let messages = messages(feed, filter, permit).take_until(token_ends(state, authorised));
    Ok(([NO_BUFFERING, NOT_KEPT], Sse::new(messages).keep_alive(keep_alive)).into_response())
}

fn header_cursor(headers: &HeaderMap) -> Result<Option<EventCursor>, Refusal> {
    let Some(value) = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let cursor = value.to_str().ok().map_or(Err(NotACursor), str::parse);
    cursor.map(Some).map_err(|why| Refusal::field(LAST_EVENT_ID, why.to_string()))
}

/// A comment at once, so that the client knows that it is heard, with the place that it resumes
/// after if it hears nothing else; then what `feed` has.
fn messages(
    feed: Box<dyn EventFeed>,
    filter: Filter,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    let opening = Event::default().comment("connected").id(feed.position().to_string());
    let open = (permit, OpenStream::opened());
    let items = stream::unfold((feed, open), |(mut feed, open)| async move {
        let item = feed.next().await?;
        Some((item, (feed, open)))
    });
    let events = items.filter_map(move |item| {
        let event = if filter.wants(&item) { message(&item) } else { None };
        std::future::ready(event.map(Ok))
    });
    stream::once(std::future::ready(Ok(opening))).chain(events)
}

fn message(item: &FeedItem) -> Option<Event> {
    let sent = match item {
        FeedItem::Event { cursor, event } => {
            Event::default().id(cursor.to_string()).json_data(CloudEvent::from(event.as_ref()))
        }
        FeedItem::Signal(signal) => Event::default().json_data(Signal::from(signal)),
    };
    sent.inspect_err(|error| tracing::error!(%error, "an event could not be written as JSON")).ok()
}

/// Returns when the caller's token no longer allows reading. A store that does not answer ends
/// nobody's stream.
async fn token_ends(state: AppState, authorised: Authorised) {
    loop {
        tokio::time::sleep(state.settings.recheck_token).await;
        match state.service.caller(&authorised.token).await {
            Ok(Some(caller)) if caller.may(Scope::SatelliteRead) => {}
            Ok(_) => return,
            Err(error) => tracing::warn!(%error, "could not check an event stream's token again"),
        }
    }
}

/// What a client wants to hear; nothing said is everything.
#[derive(Debug)]
struct Filter {
    types: Option<Vec<String>>,
    satellite: Option<SatelliteId>,
}

impl Filter {
    fn read(query: &mut Query) -> Option<Self> {
        let types = query.parsed("types", |text| {
            let events = EventKind::ALL.iter().map(|kind| kind.name());
            let known: Vec<&str> = events.chain(Signal::NAMES.iter().copied()).collect();
            text.split(',')
                .map(|name| match known.contains(&name) {
                    true => Ok(name.to_owned()),
                    false => Err(not_one_of(name, &known)),
                })
                .collect::<Result<Vec<_>, _>>()
        });
        let satellite =
            query.parsed("satelliteId", |text| text.parse().map_err(|_| "must be a UUID"));
        Some(Self { types: types?, satellite: satellite? })
    }

    fn wants(&self, item: &FeedItem) -> bool {
        let (kind, satellite) = match item {
            FeedItem::Event { event, .. } => (event.kind().name(), event.satellite()),
            FeedItem::Signal(signal) => (Signal::name(signal), subject(signal)),
        };
        self.satellite.is_none_or(|wanted| Some(wanted) == satellite)
            && self.types.as_ref().is_none_or(|wanted| wanted.iter().any(|name| name == kind))
    }
}

/// The satellite that a signal is about, where it is about one.
fn subject(signal: &CoreSignal) -> Option<SatelliteId> {
    match signal {
        CoreSignal::StatusChanged { satellite, .. } | CoreSignal::ConfigChanged { satellite } => {
            Some(*satellite)
        }
        CoreSignal::WebhookPaused { .. } => None,
    }
}
