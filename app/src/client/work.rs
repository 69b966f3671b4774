//! What satellites run, and what they report.

use groundcontrol_http::dto::{Assignment, Check, Page, Rule, Run, System, Webhook};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::error::ClientError;
use super::request::Client;

/// A kind of thing that is listed, made, changed and removed in the same way.
pub trait Kind: DeserializeOwned + Serialize {
    /// Where they are.
    const PATH: &'static str;
    /// What one is called.
    const WHAT: &'static str;

    /// Its id.
    fn id(&self) -> Uuid;

    /// Its name, where it has one.
    fn name(&self) -> Option<&str>;
}

macro_rules! kinds {
    ($($kind:ty, $path:literal, $what:literal, $name:expr;)+) => {$(
        impl Kind for $kind {
            const PATH: &'static str = $path;
            const WHAT: &'static str = $what;

            fn id(&self) -> Uuid {
                self.id
            }

            fn name(&self) -> Option<&str> {
                let name: fn(&Self) -> Option<&str> = $name;
                name(self)
            }
        }
    )+};
}

kinds! {
    System, "/api/v1/systems", "system", |one| Some(one.name.as_str());
    Check, "/api/v1/checks", "check", |one| Some(one.name.as_str());
    Webhook, "/api/v1/webhooks", "webhook", |one| Some(one.name.as_str());
    Rule, "/api/v1/rules", "rule", |one| Some(one.name.as_str());
    Assignment, "/api/v1/assignments", "assignment", |_| None;
}

impl Client {
    /// All of a kind.
    pub async fn all<T: Kind>(&self) -> Result<Vec<T>, ClientError> {
        self.pages(T::PATH, &[]).await
    }

    /// All of a list that comes in pages.
    async fn pages<T: DeserializeOwned>(
        &self,
        path: &str,
        filters: &[(&str, String)],
    ) -> Result<Vec<T>, ClientError> {
        let mut found = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = filters.to_vec();
            query.push(("limit", groundcontrol_core::limits::MAX_PAGE.to_string()));
            query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
            let request = self.get(path).query(&query);
            let page: Page<T> = self.json("read the list", request).await?;
            found.extend(page.items);
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// The one that a person means: by its id, or its whole name.
    pub async fn find<T: Kind>(&self, wanted: &str) -> Result<T, ClientError> {
        if let Ok(id) = Uuid::try_parse(wanted) {
            return self.json("read it", self.get(&format!("{}/{id}", T::PATH))).await;
        }
        let mut all = self.all::<T>().await?;
        match all.iter().position(|one| one.name() == Some(wanted)) {
            Some(at) => Ok(all.swap_remove(at)),
            None => Err(ClientError::NoSuch { what: T::WHAT, wanted: wanted.to_owned() }),
        }
    }

    /// Makes one.
    pub async fn make<T: Kind>(&self, body: &impl Serialize) -> Result<T, ClientError> {
        self.exchange("make it", Method::POST, T::PATH, body).await
    }

    /// Changes one.
    pub async fn change<T: Kind>(&self, id: Uuid, body: &impl Serialize) -> Result<T, ClientError> {
        self.exchange("change it", Method::PATCH, &format!("{}/{id}", T::PATH), body).await
    }

    /// Removes one.
    pub async fn drop_one<T: Kind>(&self, id: Uuid) -> Result<(), ClientError> {
        self.delete("remove it", &format!("{}/{id}", T::PATH)).await
    }

    /// All latest results that match a query of the API.
    pub async fn latest_results(&self, query: &[(&str, String)]) -> Result<Vec<Run>, ClientError> {
        self.pages("/api/v1/results/latest", query).await
    }

    /// The newest results that match a query of the API.
    pub async fn results(&self, query: &[(&str, String)]) -> Result<Vec<Run>, ClientError> {
        let request = self.get("/api/v1/results").query(query);
        let page: Page<Run> = self.json("list the results", request).await?;
        Ok(page.items)
    }
}
