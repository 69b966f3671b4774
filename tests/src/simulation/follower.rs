//! Subscribers to the stream of events.

use std::sync::{Arc, Weak};

use groundcontrol::pod::GroundControl;
use groundcontrol_core::ports::{EventCursor, EventFeed, FeedItem, FleetService as _};
use groundcontrol_core::time::Millis;
use parking_lot::Mutex;
use tokio::time::{sleep, timeout};

use super::dice::Dice;
use super::host::Host;
use super::judge::Follower;
use super::planted::PlantedBug;
use super::process::Process;
use super::world::World;

/// Everybody who listens, as long as they do.
#[derive(Default)]
pub(super) struct Followers(Mutex<Vec<Weak<Mutex<Follower>>>>);

impl Followers {
    fn add(&self, follower: Follower) -> Arc<Mutex<Follower>> {
        let follower = Arc::new(Mutex::new(follower));
        let mut all = self.0.lock();
        all.retain(|other| other.strong_count() > 0);
        all.push(Arc::downgrade(&follower));
        follower
    }

    /// How far each of them was told.
    pub(super) fn all(&self) -> Vec<Follower> {
        let all = self.0.lock();
        all.iter().filter_map(Weak::upgrade).map(|follower| follower.lock().clone()).collect()
    }
}

/// Listens on `pod` from now on, for as long as it lives.
pub(super) fn stay(world: &Arc<World>, host: &Arc<Host>, pod: &GroundControl, process: &Process) {
    let name = format!("the stream that stays on {}", pod.name());
    let (world, host, pod) = (world.clone(), host.clone(), pod.clone());
    let follow = async move {
        let reached = world.judge.newest_event();
        let feeds = match world.planted {
            Some(PlantedBug::DoubledDispatcher) => 2,
            Some(_) | None => 1,
        };
        let follower = world.followers.add(Follower { name, reached, open: true });
        let listen = async |_: usize| {
            let Ok(mut feed) = pod.events(None).await else { return };
            while let Some(item) = feed.next().await {
                tell(&world, &follower, item);
            }
        };
        futures_util::future::join_all((0..feeds).map(listen)).await;
        world.step(None, || format!("{host}: {} ended", follower.lock().name));
    };
    let process = process.clone();
    tokio::spawn(process.run(follow));
}

fn tell(world: &World, follower: &Mutex<Follower>, item: FeedItem) {
    if let FeedItem::Event { cursor, event } = item {
        let mut follower = follower.lock();
        let words = || {
            let (name, kind, seq) = (&follower.name, event.kind(), event.seq());
            format!("{name} tells {kind} (seq {seq}) at {cursor}")
        };
        match event.satellite() {
            Some(satellite) => world.step_of(satellite, words),
            None => world.step(None, words),
        }
        world.judge.delivered(&mut follower, cursor, &event);
    }
}

/// Listens here and there, each time after the last event that it was told of.
pub(super) async fn roam(world: Arc<World>, number: u64) {
    let dice = Dice::new(world.seed, "follower", number);
    let name = format!("the stream that resumes ({number})");
    let reached = Some(EventCursor::default());
    let follower = world.followers.add(Follower { name, reached, open: false });
    loop {
        let serving: Vec<_> = world.hosts.iter().filter_map(|host| host.pod()).collect();
        let Some((pod, process)) = dice.pick(&serving).cloned() else {
            sleep(Millis::from_secs(1).into()).await;
            continue;
        };
        let after = follower.lock().reached;
        let span = match world.is_stormy() {
            true => dice.span(1_000..=120_000),
            false => Millis::from_secs(3_600),
        };
        let listen = async {
            let Ok(mut feed) = pod.events(after).await else { return };
            follow(&world, &follower, feed.as_mut()).await;
        };
        let _ = timeout(span.into(), process.run(listen)).await;
        sleep(dice.span(0..=3_000).into()).await;
    }
}

async fn follow(world: &World, follower: &Mutex<Follower>, feed: &mut dyn EventFeed) {
    while let Some(item) = feed.next().await {
        tell(world, follower, item);
    }
}
