//! Documents that are kept in Git, and a server that is kept as they say.
//!
//! [`Folder`] reads files, [`read`] makes of them what is wanted, or says what is wrong with which
//! line of which file; [`schema`] describes the documents to editors. What has to be done is the
//! core's to say ([`groundcontrol_core::desired`]); [`perform`] does it to a [`Server`]: over the
//! HTTP API, for the command line, or in this process, for `serve --gitops`.

mod kinds;
mod yaml;
mod error;
mod folder;
mod read;
mod leaves;
mod schema;
mod server;
mod local;
mod follow;

pub use error::{DocumentError, Faults, Place};
pub use folder::{Folder, FolderError, Stamp, TextFile};
pub use follow::{Follow, GitOps};
pub use leaves::JsonLeaves;
pub use read::{Documents, read};
pub use schema::{KINDS, schema};
pub use server::{Server, Stopped, perform};
