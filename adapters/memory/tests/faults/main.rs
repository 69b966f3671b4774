//! The conformance kit notices adapters that are wrong in one way each, and names the case.

mod fault;
mod faulty;
mod reads;
mod descriptions;
mod writes;
mod satellite_store;
mod named;
mod work_fault;
mod faulty_work;
mod work;
mod package_fault;
mod faulty_packages;
mod packages;
mod webhook_fault;
mod faulty_webhooks;
mod webhooks;
mod api_token_store;
mod secret_source;
mod sealed_store;
mod secret_delivery_store;
mod broadcast;
mod recurring_work;
mod clock;
