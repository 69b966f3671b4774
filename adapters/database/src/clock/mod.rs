//! Store time (property P11): the database's, or where that is a file, this machine's.

mod machine;
mod embedded;
mod offset;
mod server;

pub use embedded::DatabaseClock;
pub use machine::MachineTime;
pub use server::ServerClock;
