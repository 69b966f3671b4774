//! The tree is as ARCHITECTURE.md says, and keeps the rules of the house.

mod tree;
mod code_map;
mod files;
mod quotes;
mod layers;
mod deploy;
