//! The sessions whose sockets this pod holds, with the heartbeats that wait to be stored.

use std::sync::Arc;

use groundcontrol_core::assignment::Configured;
use groundcontrol_core::connection::Fence;
use groundcontrol_core::packages::LockfileHash;
use groundcontrol_core::ports::{HeartbeatWrite, Order, Outbox, SessionRef};
use groundcontrol_core::satellite::{Epoch, ReportedAgent, SatelliteId};
use groundcontrol_core::time::Timestamp;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::sync::Notify;

/// One socket for each satellite: the newest. Heartbeats are coalesced per satellite and epoch
/// and bounded by the number of sockets.
#[derive(Default)]
pub struct Sessions {
    inner: Mutex<Inner>,
    /// Told when a heartbeat begins to wait.
    pub(crate) waiting: Notify,
    /// Told when the last socket is gone.
    pub(crate) empty: Notify,
}

/// The keys are ids that this server drew itself, so a fast hash is safe, and the order of
/// iteration is the same in every run.
#[derive(Default)]
struct Inner {
    sockets: FxHashMap<SatelliteId, Socket>,
    dirty: Vec<SatelliteId>,
}

struct Socket {
    session: SessionRef,
    outbox: Arc<dyn Outbox>,
    agent: Arc<ReportedAgent>,
    /// What the satellite was told to run.
    configured: Option<Configured>,
    unsaved: Option<Timestamp>,
}

/// Heartbeats that were taken to be stored.
pub type Waiting = Vec<HeartbeatWrite>;

impl Sessions {
    /// Enters a session. An older socket of the same satellite is told that it is superseded; so
    /// is this one where a newer is here already.
    pub fn enter(
        &self,
        session: SessionRef,
        outbox: Arc<dyn Outbox>,
        agent: Arc<ReportedAgent>,
        configured: Option<Configured>,
    ) {
        let mut inner = self.inner.lock();
        let superseded = match inner.sockets.get(&session.satellite) {
            Some(held) if held.session.epoch >= session.epoch => Some(outbox),
            _ => {
                let socket = Socket { session, outbox, agent, configured, unsaved: None };
                inner.sockets.insert(session.satellite, socket).map(|older| older.outbox)
            }
        };
        drop(inner);
        if let Some(outbox) = superseded {
            outbox.deliver(Order::Fenced(Fence::Superseded));
        }
    }

    /// Forgets a session, if it is the one that is held.
    pub fn leave(&self, session: SessionRef) {
        let mut inner = self.inner.lock();
        if inner.holds(session) {
            inner.sockets.remove(&session.satellite);
            inner.shrink();
        }
        if inner.sockets.is_empty() {
            self.empty.notify_waiters();
        }
    }

    /// Takes a heartbeat; false where the session is not the one that is held. Answers what the
    /// agent was known to be.
    pub fn heartbeat(&self, session: SessionRef, at: Timestamp) -> Option<Arc<ReportedAgent>> {
        let mut inner = self.inner.lock();
        let Inner { sockets, dirty } = &mut *inner;
        let socket = sockets.get_mut(&session.satellite)?;
        if socket.session != session {
            return None;
        }
        let first = dirty.is_empty();
        match socket.unsaved {
            Some(waiting) => socket.unsaved = Some(waiting.max(at)),
            None => {
                socket.unsaved = Some(at);
                dirty.push(session.satellite);
            }
        }
        let agent = socket.agent.clone();
        drop(inner);
        if first {
            self.waiting.notify_one();
        }
        Some(agent)
    }

    /// What the agent on this session is now known to be.
    pub fn set_agent(&self, session: SessionRef, agent: Arc<ReportedAgent>) {
        let mut inner = self.inner.lock();
        if let Some(socket) = inner.sockets.get_mut(&session.satellite)
            && socket.session == session
        {
            socket.agent = agent;
        }
    }

    /// Takes all heartbeats that wait.
    pub fn take_waiting(&self) -> Waiting {
        let mut inner = self.inner.lock();
        let Inner { sockets, dirty } = &mut *inner;
        let take = |satellite: SatelliteId| {
            let socket = sockets.get_mut(&satellite)?;
            let at = socket.unsaved.take()?;
            Some(HeartbeatWrite { satellite, epoch: socket.session.epoch, at })
        };
        let taken = dirty.drain(..).filter_map(take).collect();
        if dirty.capacity() > 4096 {
            dirty.shrink_to(4096);
        }
        taken
    }

    /// Puts back heartbeats that could not be stored, and tells that they wait; those of sessions
    /// that are gone are dropped.
    pub fn put_back(&self, heartbeats: &[HeartbeatWrite]) {
        let mut inner = self.inner.lock();
        let Inner { sockets, dirty } = &mut *inner;
        for heartbeat in heartbeats {
            if let Some(socket) = sockets.get_mut(&heartbeat.satellite)
                && socket.session.epoch == heartbeat.epoch
            {
                if socket.unsaved.is_none() {
                    dirty.push(heartbeat.satellite);
                }
                socket.unsaved = socket.unsaved.max(Some(heartbeat.at));
            }
        }
        drop(inner);
        self.waiting.notify_one();
    }

    /// Hands an order to the socket of `satellite`, if it is held and `which` holds of its epoch.
    pub fn order(&self, satellite: SatelliteId, order: Order, which: impl Fn(Epoch) -> bool) {
        let outbox = {
            let inner = self.inner.lock();
            let socket = inner.sockets.get(&satellite).filter(|s| which(s.session.epoch));
            socket.map(|socket| socket.outbox.clone())
        };
        if let Some(outbox) = outbox {
            outbox.deliver(order);
        }
    }

    /// As [`order`](Self::order), and forgets the session at once: nothing that it says counts
    /// any more.
    pub fn end(&self, satellite: SatelliteId, order: Order, which: impl Fn(Epoch) -> bool) {
        let mut inner = self.inner.lock();
        if !inner.sockets.get(&satellite).is_some_and(|s| which(s.session.epoch)) {
            return;
        }
        let ended = inner.sockets.remove(&satellite);
        inner.shrink();
        if inner.sockets.is_empty() {
            self.empty.notify_waiters();
        }
        drop(inner);
        if let Some(socket) = ended {
            socket.outbox.deliver(order);
        }
    }

    /// Hands a configuration to the socket of `satellite`, unless it was told of that one or a
    /// later already; answers whether it is news.
    pub fn configure(&self, satellite: SatelliteId, configured: &Configured) -> bool {
        let mut inner = self.inner.lock();
        let Some(socket) = inner.sockets.get_mut(&satellite) else { return false };
        if socket.configured.as_ref().is_some_and(|told| told.revision >= configured.revision) {
            return false;
        }
        socket.configured = Some(configured.clone());
        let outbox = socket.outbox.clone();
        drop(inner);
        outbox.deliver(Order::Configure(configured.clone()));
        true
    }

    /// Tells all sockets of the packages that there shall be; answers whose they are. A lockfile has
    /// a message of its own; that there are none is said with what the satellite runs.
    pub fn tell_packages(&self, desired: Option<LockfileHash>) -> Vec<SatelliteId> {
        let mut told = Vec::new();
        let mut inner = self.inner.lock();
        for (satellite, socket) in &mut inner.sockets {
            let Some(configured) = &mut socket.configured else { continue };
            configured.packages = Some(desired);
            let order = match desired {
                Some(lockfile) => Order::RefreshPackages(lockfile),
                None => Order::Configure(configured.clone()),
            };
            told.push((*satellite, socket.outbox.clone(), order));
        }
        drop(inner);
        told.sort_unstable_by_key(|(satellite, ..)| *satellite);
        let deliver = |(satellite, outbox, order): (_, Arc<dyn Outbox>, _)| {
            outbox.deliver(order);
            satellite
        };
        told.into_iter().map(deliver).collect()
    }

    /// Whether this is the session of its satellite that is held.
    pub fn holds(&self, session: SessionRef) -> bool {
        self.inner.lock().holds(session)
    }

    /// What the satellite on this session was told to run.
    pub fn configured(&self, session: SessionRef) -> Option<Configured> {
        let inner = self.inner.lock();
        let socket = inner.sockets.get(&session.satellite)?;
        socket.configured.clone().filter(|_| socket.session == session)
    }

    /// The satellites whose sockets are held, in the order of their ids.
    pub fn satellites(&self) -> Vec<SatelliteId> {
        let mut ids: Vec<_> = self.inner.lock().sockets.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// Whether a session of `satellite` is held.
    pub fn has(&self, satellite: SatelliteId) -> bool {
        self.inner.lock().sockets.contains_key(&satellite)
    }

    /// The ways to all sockets.
    pub fn outboxes(&self) -> Vec<Arc<dyn Outbox>> {
        self.inner.lock().sockets.values().map(|socket| socket.outbox.clone()).collect()
    }

    /// Forgets all sessions and answers the ways to their sockets: their words no longer count.
    pub fn end_all(&self) -> Vec<Arc<dyn Outbox>> {
        let mut inner = self.inner.lock();
        let sockets = std::mem::take(&mut inner.sockets);
        inner.dirty = Vec::new();
        drop(inner);
        self.empty.notify_waiters();
        sockets.into_values().map(|socket| socket.outbox).collect()
    }

    /// How many sessions are held.
    pub fn len(&self) -> usize {
        self.inner.lock().sockets.len()
    }

    /// Whether no session is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Inner {
    fn holds(&self, session: SessionRef) -> bool {
        self.sockets.get(&session.satellite).is_some_and(|held| held.session == session)
    }

    /// Gives memory back after a storm.
    fn shrink(&mut self) {
        if self.sockets.capacity() > 1024 && self.sockets.len() < self.sockets.capacity() / 8 {
            self.sockets.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use groundcontrol_core::satellite::SessionId;
    use uuid::Uuid;

    #[derive(Default)]
    struct Orders(Mutex<Vec<Order>>);

    impl Outbox for Orders {
        fn deliver(&self, order: Order) {
            self.0.lock().push(order);
        }
    }

    fn session(satellite: u128, epoch: u64) -> SessionRef {
        SessionRef {
            satellite: SatelliteId(Uuid::from_u128(satellite)),
            epoch: Epoch(epoch),
            session: SessionId(Uuid::from_u128(u128::from(epoch))),
        }
    }

    fn enter(sessions: &Sessions, session: SessionRef) -> Arc<Orders> {
        let orders = Arc::new(Orders::default());
        sessions.enter(session, orders.clone(), Arc::default(), None);
        orders
    }

    const AT: fn(i64) -> Timestamp = Timestamp::from_millis;

    #[test]
    fn the_newest_epoch_keeps_its_place_whichever_comes_first() {
        let sessions = Sessions::default();
        let newer = enter(&sessions, session(1, 2));
        let older = enter(&sessions, session(1, 1));
        assert_eq!(*older.0.lock(), [Order::Fenced(Fence::Superseded)]);
        assert!(newer.0.lock().is_empty());
        enter(&sessions, session(1, 3));
        assert_eq!(*newer.0.lock(), [Order::Fenced(Fence::Superseded)]);
        assert_eq!(sessions.len(), 1);
    }

    #[test]
    fn heartbeats_are_coalesced_to_the_latest() {
        let sessions = Sessions::default();
        enter(&sessions, session(1, 1));
        for at in [5, 9, 7] {
            assert!(sessions.heartbeat(session(1, 1), AT(at)).is_some());
        }
        let waiting = sessions.take_waiting();
        assert_eq!(waiting.iter().map(|h| h.at).collect::<Vec<_>>(), [AT(9)]);
        assert!(sessions.take_waiting().is_empty());
    }

    #[test]
    fn a_heartbeat_of_another_session_is_not_taken() {
        let sessions = Sessions::default();
        enter(&sessions, session(1, 2));
        assert!(sessions.heartbeat(session(1, 1), AT(5)).is_none());
        assert!(sessions.take_waiting().is_empty());
    }

    #[test]
    fn what_is_put_back_never_overrides_what_came_since_nor_another_epoch() {
        let sessions = Sessions::default();
        enter(&sessions, session(1, 1));
        sessions.heartbeat(session(1, 1), AT(5));
        let taken = sessions.take_waiting();
        sessions.heartbeat(session(1, 1), AT(8));
        sessions.put_back(&taken);
        assert_eq!(sessions.take_waiting()[0].at, AT(8));
        enter(&sessions, session(1, 2));
        sessions.put_back(&taken);
        assert!(sessions.take_waiting().is_empty());
    }

    #[tokio::test]
    async fn whoever_stores_heartbeats_is_woken_when_some_are_put_back() {
        let sessions = Sessions::default();
        enter(&sessions, session(1, 1));
        sessions.heartbeat(session(1, 1), AT(5));
        sessions.waiting.notified().await;
        let taken = sessions.take_waiting();
        sessions.put_back(&taken);
        let woken = futures_util::FutureExt::now_or_never(sessions.waiting.notified());
        assert_eq!(woken, Some(()));
    }

    #[test]
    fn a_late_leave_of_an_old_session_keeps_the_new_one() {
        let sessions = Sessions::default();
        enter(&sessions, session(1, 1));
        enter(&sessions, session(1, 2));
        sessions.leave(session(1, 1));
        assert_eq!(sessions.len(), 1);
        sessions.leave(session(1, 2));
        assert!(sessions.is_empty());
    }

    #[test]
    fn an_ended_session_hears_why_and_is_no_longer_heard() {
        let sessions = Sessions::default();
        let orders = enter(&sessions, session(1, 3));
        let gone = Order::Fenced(Fence::Gone);
        sessions.end(session(1, 3).satellite, gone.clone(), |epoch| epoch <= Epoch(2));
        assert!(orders.0.lock().is_empty());
        sessions.end(session(1, 3).satellite, gone.clone(), |epoch| epoch <= Epoch(3));
        assert_eq!(*orders.0.lock(), [gone]);
        assert!(sessions.heartbeat(session(1, 3), AT(5)).is_none());
    }
}
