//! Recurring work: the last message of a job's subject, replaced by conditional writes.

use std::fmt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{CreateStreamError, CreateStreamErrorKind, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, LastRawMessageErrorKind, StorageType};
use async_trait::async_trait;
use groundcontrol_core::ports::{Job, JobName, QueueError, QueueResult, RecurringWork, Run, Turn};
use groundcontrol_core::time::{Millis, Timestamp};
use tokio::time::{sleep, timeout};

use crate::queue::{NatsQueue, PATIENCE, Shared};
use crate::record::Record;

/// Others who claim at the same moment have it; how they fare is soon known.
const OVERTAKEN: Millis = Millis::new(10);
/// Where a member has a message stamped to know what time it is. No job's name has capitals.
const CLOCK: &str = "CLOCK";

/// How often, and how many times, a stream is looked for that another member is making.
const STREAM_LOOK: Duration = Duration::from_millis(20);
const STREAM_LOOKS: usize = 50;
/// How long one attempt to make the stream may take.
const STREAM_ANSWER: Duration = Duration::from_millis(500);

const NO_STREAM: &str = "no stream takes messages about jobs";

/// What became of a message.
enum Published {
    Stored,
    /// It was to follow another one than the last.
    Overtaken,
    /// No stream takes it: it is just being made, or there is none.
    Nowhere,
}

/// A message as the stream keeps it.
struct Stored {
    sequence: u64,
    at: Timestamp,
    payload: Vec<u8>,
}

#[async_trait]
impl RecurringWork for NatsQueue {
    async fn claim(&self, job: Job, lease: Millis) -> QueueResult<Turn> {
        self.shared.in_time("claim a job", self.shared.claim(job, lease)).await
    }

    async fn renew(&self, run: &Run, lease: Millis) -> QueueResult<bool> {
        let renewed = self.shared.replace("renew a job", run, |token, claimed_at| Record::Held {
            token,
            lease,
            claimed_at: Some(claimed_at),
        });
        self.shared.in_time("renew a job", renewed).await
    }

    async fn finish(&self, run: Run) -> QueueResult<bool> {
        let finished = self.shared.replace("finish a job", &run, |_, claimed_at| Record::Done {
            due: claimed_at + run.job.every,
        });
        self.shared.in_time("finish a job", finished).await
    }
}

impl Shared {
    async fn claim(&self, job: Job, lease: Millis) -> QueueResult<Turn> {
        let doing = "claim a job";
        let last = self.last(doing, job.name.as_str()).await?;
        let last_sequence = last.as_ref().map_or(0, |last| last.sequence);
        if let Some(last) = last {
            let wait = record(doing, job.name, &last)?.free_at(last.at).since(self.now().await?);
            if wait > Millis::ZERO {
                return Ok(Turn::NotBefore(wait));
            }
        }
        // Every claim replaces another message, so what it replaces tells it from all others.
        let token = last_sequence;
        let held = Record::Held { token, lease, claimed_at: None };
        match self.write(doing, job.name.as_str(), held.text(), Some(last_sequence)).await? {
            true => Ok(Turn::Yours(Run { job, token })),
            false => Ok(Turn::NotBefore(OVERTAKEN)),
        }
    }

    /// Replaces the record of `run`, while it is held, by what `next` makes of token and time of
    /// the claim. Answers whether it was.
    async fn replace(
        &self,
        doing: &'static str,
        run: &Run,
        next: impl FnOnce(u64, Timestamp) -> Record + Send,
    ) -> QueueResult<bool> {
        let name = run.job.name;
        let Some(last) = self.last(doing, name.as_str()).await? else { return Ok(false) };
        match record(doing, name, &last)? {
            Record::Held { token, claimed_at, .. } if token == run.token => {
                let next = next(token, claimed_at.unwrap_or(last.at));
                self.write(doing, name.as_str(), next.text(), Some(last.sequence)).await
            }
            Record::Held { .. } | Record::Done { .. } => Ok(false),
        }
    }

    /// The server's time: not later than it is when this returns, and not earlier than it was when
    /// it was called.
    async fn now(&self) -> QueueResult<Timestamp> {
        let doing = "ask the queue for the time";
        self.write(doing, CLOCK, String::new(), None).await?;
        let stamped = self.last(doing, CLOCK).await?;
        stamped.map(|stamped| stamped.at).ok_or_else(|| unavailable(doing, &"nothing was stamped"))
    }

    /// The last message about `what`, from the stream's leader.
    async fn last(&self, doing: &'static str, what: &str) -> QueueResult<Option<Stored>> {
        self.await_stream(doing).await?;
        let stream = self.jetstream.get_stream_no_info(self.stream()).await;
        let stream = stream.map_err(|error| unavailable(doing, &error))?;
        let message = match stream.get_last_raw_message_by_subject(&self.job_subject(what)).await {
            Ok(message) => message,
            Err(error) => match error.kind() {
                LastRawMessageErrorKind::NoMessageFound => return Ok(None),
                LastRawMessageErrorKind::JetStream(missing)
                    if missing.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    self.has_stream.store(false, Ordering::Relaxed);
                    return self.await_stream(doing).await.map(|()| None);
                }
                LastRawMessageErrorKind::InvalidSubject
                | LastRawMessageErrorKind::JetStream(_)
                | LastRawMessageErrorKind::Other => return Err(unavailable(doing, &error)),
            },
        };
        let millis = message.time.unix_timestamp_nanos() / 1_000_000;
        Ok(Some(Stored {
            sequence: message.sequence,
            at: Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX)),
            payload: message.payload.to_vec(),
        }))
    }

    /// Writes a message about `what`, if the last one about it is `after` (none, where that is 0);
    /// answers whether it was.
    async fn write(
        &self,
        doing: &'static str,
        what: &str,
        text: String,
        after: Option<u64>,
    ) -> QueueResult<bool> {
        let mut message = PublishMessage::build().payload(text.into());
        if let Some(after) = after {
            message = message.expected_last_subject_sequence(after);
        }
        for _ in 0..STREAM_LOOKS {
            match self.publish(doing, what, message.clone()).await? {
                Published::Stored => return Ok(true),
                Published::Overtaken => return Ok(false),
                Published::Nowhere => sleep(STREAM_LOOK).await,
            }
        }
        Err(unavailable(doing, &NO_STREAM))
    }

    async fn publish(
        &self,
        doing: &'static str,
        what: &str,
        message: PublishMessage,
    ) -> QueueResult<Published> {
        let sent = self.jetstream.send_publish(self.job_subject(what), message).await;
        let stored = sent.map_err(|error| unavailable(doing, &error))?.await;
        match stored.map_err(|error| (error.kind(), error)) {
            Ok(_) => Ok(Published::Stored),
            Err((PublishErrorKind::WrongLastSequence, _)) => Ok(Published::Overtaken),
            Err((PublishErrorKind::StreamNotFound, _)) => Ok(Published::Nowhere),
            Err((_, error)) => Err(unavailable(doing, &error)),
        }
    }

    /// Waits until the stream has taken a message, and makes it where there is none. Nothing may be
    /// read before: asked for a message of a stream that another pod is just making, a server (seen
    /// with 2.9.10) crashes.
    async fn await_stream(&self, doing: &'static str) -> QueueResult<()> {
        if self.has_stream.load(Ordering::Relaxed) {
            return Ok(());
        }
        for _ in 0..STREAM_LOOKS {
            let stamp = PublishMessage::build().payload(String::new().into());
            match self.publish(doing, CLOCK, stamp).await? {
                Published::Stored | Published::Overtaken => {
                    self.has_stream.store(true, Ordering::Relaxed);
                    return Ok(());
                }
                Published::Nowhere => self.make_stream(doing).await?,
            }
        }
        Err(unavailable(doing, &NO_STREAM))
    }

    /// Makes the stream. One that is there stays as its operator set it up.
    async fn make_stream(&self, doing: &'static str) -> QueueResult<()> {
        let config = Config {
            name: self.stream(),
            description: Some("Recurring work of Ground Control: one message a job".to_owned()),
            subjects: vec![self.job_subject("*")],
            max_messages_per_subject: 1,
            storage: StorageType::File,
            num_replicas: 1,
            ..Config::default()
        };
        // While another pod is just making it, the server may refuse, or not answer at all.
        for _ in 0..STREAM_LOOKS {
            let making = self.jetstream.get_or_create_stream(config.clone());
            match timeout(STREAM_ANSWER, making).await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) if is_overlap(&error) => sleep(STREAM_LOOK).await,
                Ok(Err(error)) => return Err(unavailable(doing, &error)),
                Err(_) => {}
            }
        }
        Err(unavailable(doing, &"the stream for jobs cannot be made"))
    }

    async fn in_time<T>(
        &self,
        doing: &'static str,
        work: impl Future<Output = QueueResult<T>> + Send,
    ) -> QueueResult<T> {
        // What is asked without a connection would be sent with the next one, to nobody's use.
        if !self.health.is_there() {
            return Err(unavailable(doing, &"there is no connection"));
        }
        timeout(PATIENCE, work).await.map_err(|_| unavailable(doing, &"no answer in time"))?
    }

    fn stream(&self) -> String {
        format!("{}-jobs", self.prefix)
    }

    fn job_subject(&self, what: &str) -> String {
        format!("{}.jobs.{what}", self.prefix)
    }
}

fn is_overlap(error: &CreateStreamError) -> bool {
    matches!(
        error.kind(),
        CreateStreamErrorKind::JetStream(refusal)
            if refusal.error_code() == ErrorCode::STREAM_SUBJECT_OVERLAP
    )
}

fn record(doing: &'static str, job: JobName, stored: &Stored) -> QueueResult<Record> {
    Record::parse(&stored.payload).ok_or_else(|| QueueError::Corrupt {
        doing,
        detail: format!("message {} about the job {job}; delete it", stored.sequence),
    })
}

fn unavailable(doing: &'static str, detail: &dyn fmt::Display) -> QueueError {
    QueueError::Unavailable { doing, detail: detail.to_string() }
}
