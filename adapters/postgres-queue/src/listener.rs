//! Hearing: one connection that listens, and looks by itself once a second.

use std::sync::Arc;
use std::time::Duration;

use groundcontrol_core::ports::{Nudge, QueueError, QueueResult, nudges_in};
use sqlx::Row as _;
use sqlx::postgres::PgListener;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::connect::{Delays, PATIENCE, unavailable};
use crate::health::Half;
use crate::queue::Shared;
use crate::schema;

/// Rows are looked for this often without a notification.
const LOOK: Duration = Duration::from_secs(1);
/// Rows that are read at a time.
const PAGE: i64 = 100;

const NEWEST: &str = "SELECT last_id FROM groundcontrol_queue_head";
/// What this member said itself it has heard already.
const READ: &str = "
    SELECT id, CASE WHEN member = $2 THEN '' ELSE body END
    FROM groundcontrol_queue_messages WHERE id > $1 ORDER BY id LIMIT $3";

/// A connection, and how far it has read.
struct Reader {
    listener: PgListener,
    read: i64,
}

impl Shared {
    /// The task that hears the other members.
    pub(crate) async fn hear(self: Arc<Self>, connected: watch::Sender<bool>) {
        let (mut delays, mut read) = (Delays::new(), None);
        loop {
            match self.reader(read).await {
                Ok(mut reader) => {
                    self.health.works(Half::Hearing);
                    self.hub.tell(Nudge::Missed);
                    connected.send_replace(true);
                    let since = Instant::now();
                    let error = self.follow(&mut reader).await;
                    read = Some(reader.read);
                    if since.elapsed() > PATIENCE {
                        delays = Delays::new();
                    }
                    self.health.failed(Half::Hearing, &error);
                }
                Err(error) => self.health.failed(Half::Hearing, &error),
            }
            delays.wait().await;
        }
    }

    /// Connects, to read on after `read`, or else from now on.
    async fn reader(&self, read: Option<i64>) -> QueueResult<Reader> {
        // A pool of its own: what hangs here takes no connection away from anything else.
        let pool = self.address.pool(1);
        in_time("listen for nudges", async {
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.eager_reconnect(false);
            schema::make(sqlx::Acquire::acquire(&mut listener).await?).await?;
            let channel: String =
                sqlx::query(schema::CHANNEL).fetch_one(&mut listener).await?.try_get(0)?;
            listener.listen(&channel).await?;
            let newest = sqlx::query(NEWEST).fetch_one(&mut listener).await?.try_get(0)?;
            // A number beyond the newest is of a database that was since restored or replaced.
            let read = read.filter(|read| *read <= newest).unwrap_or(newest);
            Ok(Reader { listener, read })
        })
        .await
    }

    /// Hears until the connection is lost, and answers why.
    async fn follow(&self, reader: &mut Reader) -> QueueError {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                notified = reader.listener.try_recv() => match notified {
                    Ok(Some(_)) => {}
                    Ok(None) => return unavailable("listen for nudges", &"the connection is lost"),
                    Err(error) => return unavailable("listen for nudges", &error),
                },
                _ = looks.tick() => {}
            }
            // One look answers all that was notified so far.
            while reader.listener.next_buffered().is_some() {}
            if let Err(error) = self.read(reader).await {
                return error;
            }
        }
    }

    async fn read(&self, reader: &mut Reader) -> QueueResult<()> {
        loop {
            let query = sqlx::query(READ).bind(reader.read).bind(self.member).bind(PAGE);
            let rows = in_time("read nudges", query.fetch_all(&mut reader.listener)).await?;
            for row in &rows {
                let (id, body) = in_row(row).map_err(|error| unavailable("read nudges", &error))?;
                if id != reader.read + 1 {
                    self.hub.tell(Nudge::Missed);
                }
                reader.read = id;
                nudges_in(body).for_each(|nudge| self.hub.tell(nudge));
            }
            if (rows.len() as i64) < PAGE {
                return Ok(());
            }
        }
    }
}

fn in_row(row: &sqlx::postgres::PgRow) -> sqlx::Result<(i64, &str)> {
    Ok((row.try_get(0)?, row.try_get(1)?))
}

async fn in_time<T>(
    doing: &'static str,
    work: impl Future<Output = sqlx::Result<T>>,
) -> QueueResult<T> {
    match timeout(PATIENCE, work).await {
        Ok(done) => done.map_err(|error| unavailable(doing, &error)),
        Err(_) => Err(unavailable(doing, &"no answer in time")),
    }
}
