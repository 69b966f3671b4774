//! One copy of what many agents say of themselves.

use std::sync::Arc;

use groundcontrol_core::satellite::ReportedAgent;
use parking_lot::Mutex;

/// The last few reports that were seen; fleets run a handful of versions.
#[derive(Default)]
pub struct Agents(Mutex<Vec<Arc<ReportedAgent>>>);

const REMEMBERED: usize = 16;

impl Agents {
    /// A shared copy of `agent`.
    pub fn intern(&self, agent: ReportedAgent) -> Arc<ReportedAgent> {
        let mut seen = self.0.lock();
        if let Some(known) = seen.iter().find(|known| ***known == agent) {
            return known.clone();
        }
        let agent = Arc::new(agent);
        if seen.len() == REMEMBERED {
            seen.remove(0);
        }
        seen.push(agent.clone());
        agent
    }
}
