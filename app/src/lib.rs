//! Ground Control: knows, provably, which of your far-away agents are alive.
//!
//! This crate connects the pure rules of `groundcontrol-core` with the adapters. [`pod`] is one
//! running instance, [`use_case`] what it does, [`wiring`] the only place that names adapters,
//! [`serve`] the process around it. [`agent`] is the satellite's side, [`client`] and [`command`]
//! are the command line.
//!
//! An integrator who brings adapters of their own starts from [`pod::GroundControl::builder`].

#![deny(missing_docs)]

pub mod json;
mod archive;
pub mod pod;
pub mod use_case;
pub mod config;
pub mod secret_url;
pub mod wiring;
pub mod serve;
pub mod agent;
pub mod client;
pub mod gitops;
pub mod import;
pub mod command;
