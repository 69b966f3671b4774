//! Documents in a folder that this fleet is kept by.

use std::sync::Arc;

use groundcontrol_core::ports::StoreResult;

use crate::pod::{GroundControl, Pod};

impl Pod {
    /// Applies what changed in the folder, where this pod follows one.
    pub(crate) async fn follow_documents(self: &Arc<Self>) -> StoreResult<()> {
        if let Some(documents) = &self.documents {
            documents.look(&GroundControl { pod: self.clone() }).await;
        }
        Ok(())
    }
}
