//! The database schema of Ground Control, step by step.
//!
//! Each step is one file, runs in one transaction, and is never changed once it was released: what
//! must be different is a further step. Steps go forward only. `types` holds the few words that
//! SQLite and PostgreSQL spell differently in a schema.

#![deny(missing_docs)]

mod types;
mod m0001_satellites;
mod m0002_transitions;
mod m0003_fleet;
mod m0004_api_tokens;
mod m0005_work;
mod m0006_runs;
mod m0007_secrets;
mod m0008_script_packages;
mod m0009_gitops;
mod m0010_latest_runs;
mod m0011_webhooks;
mod m0012_rules;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ConnectionTrait;

/// All steps, in order.
#[derive(Clone, Copy, Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(Step { name: "m0001_satellites", sql: m0001_satellites::SQL }),
            Box::new(Step { name: "m0002_transitions", sql: m0002_transitions::SQL }),
            Box::new(Step { name: "m0003_fleet", sql: m0003_fleet::SQL }),
            Box::new(Step { name: "m0004_api_tokens", sql: m0004_api_tokens::SQL }),
            Box::new(Step { name: "m0005_work", sql: m0005_work::SQL }),
            Box::new(Step { name: "m0006_runs", sql: m0006_runs::SQL }),
            Box::new(Step { name: "m0007_secrets", sql: m0007_secrets::SQL }),
            Box::new(Step { name: "m0008_script_packages", sql: m0008_script_packages::SQL }),
            Box::new(Step { name: "m0009_gitops", sql: m0009_gitops::SQL }),
            Box::new(Step { name: "m0010_latest_runs", sql: m0010_latest_runs::SQL }),
            Box::new(Step { name: "m0011_webhooks", sql: m0011_webhooks::SQL }),
            Box::new(Step { name: "m0012_rules", sql: m0012_rules::SQL }),
        ]
    }
}

/// One step: statements that are run together or not at all.
struct Step {
    name: &'static str,
    sql: &'static [&'static str],
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        for statement in self.sql {
            let sql = types::spelled(statement, backend);
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
