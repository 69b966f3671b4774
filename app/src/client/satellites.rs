//! Satellites: list, find, make, change, remove.

use groundcontrol_http::dto::{
    CreateSatellite, CreatedSatellite, Explanation, Page, RotateToken, Satellite, Status,
    Transition, UpdateSatellite,
};
use reqwest::Method;
use uuid::Uuid;

use super::error::ClientError;
use super::request::Client;

const SATELLITES: &str = "/api/v1/satellites";
/// The most that the server answers at once.
const PAGE: usize = groundcontrol_core::limits::MAX_PAGE;
/// The least part of an id that may stand for the whole.
const ID_PREFIX: usize = 8;
/// Names that an error suggests.
const SUGGESTIONS: usize = 5;

/// Which satellites to list; empty for all.
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    /// Only those with this status.
    pub status: Option<Status>,
    /// Only those in this region.
    pub region: Option<String>,
    /// Only those with all of these tags.
    pub tags: Vec<(String, String)>,
    /// Only those whose name or region contains this, or whose id begins with it.
    pub search: Option<String>,
}

impl ListFilter {
    fn query(&self, cursor: Option<&str>, limit: usize) -> Vec<(&'static str, String)> {
        let mut query = vec![("limit", limit.to_string())];
        query.extend(self.status.map(|status| ("status", status.to_string())));
        query.extend(self.region.clone().map(|region| ("region", region)));
        query.extend(self.tags.iter().map(|(key, value)| ("tag", format!("{key}:{value}"))));
        query.extend(self.search.clone().map(|search| ("q", search)));
        query.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
        query
    }
}

impl Client {
    /// All satellites that match, ordered by name.
    pub async fn satellites(&self, filter: &ListFilter) -> Result<Vec<Satellite>, ClientError> {
        let mut found = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = self.page(filter, cursor.as_deref(), PAGE).await?;
            found.extend(page.items);
            match page.next_cursor {
                Some(next) if cursor.as_ref() == Some(&next) => {
                    let why = "the list does not go on".to_owned();
                    return Err(ClientError::NotUnderstood { doing: "list the satellites", why });
                }
                Some(next) => cursor = Some(next),
                None => return Ok(found),
            }
        }
    }

    async fn page(
        &self,
        filter: &ListFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Satellite>, ClientError> {
        let request = self.get(SATELLITES).query(&filter.query(cursor, limit));
        self.json("list the satellites", request).await
    }

    /// One satellite.
    pub async fn satellite(&self, id: Uuid) -> Result<Satellite, ClientError> {
        self.json("read the satellite", self.get(&path(id))).await
    }

    /// The satellite that a person means: by its id, its whole name, or the first eight or more
    /// characters of its id.
    pub async fn find_satellite(&self, wanted: &str) -> Result<Satellite, ClientError> {
        if let Ok(id) = Uuid::try_parse(wanted) {
            return match self.satellite(id).await {
                Err(ClientError::Refused { problem, .. }) if problem.status == 404 => {
                    Err(ClientError::NoSuchSatellite { wanted: wanted.to_owned(), similar: vec![] })
                }
                found => found,
            };
        }
        let filter = ListFilter { search: Some(wanted.to_owned()), ..ListFilter::default() };
        let mut found = self.satellites(&filter).await?;
        if let Some(exact) = found.iter().position(|satellite| satellite.name == wanted) {
            return Ok(found.swap_remove(exact));
        }
        let prefix = wanted.to_ascii_lowercase();
        let by_id = |satellite: &&Satellite| {
            prefix.len() >= ID_PREFIX && satellite.id.to_string().starts_with(&prefix)
        };
        let candidates: Vec<&Satellite> = found.iter().filter(by_id).collect();
        match candidates.as_slice() {
            [one] => Ok((*one).clone()),
            [] => Err(ClientError::NoSuchSatellite {
                wanted: wanted.to_owned(),
                similar: found.into_iter().take(SUGGESTIONS).map(|s| s.name).collect(),
            }),
            several => Err(ClientError::Ambiguous {
                wanted: wanted.to_owned(),
                candidates: several.iter().map(|s| format!("{} ({})", s.name, s.id)).collect(),
            }),
        }
    }

    /// Makes a satellite; the answer carries its token, this once.
    pub async fn create_satellite(
        &self,
        request: &CreateSatellite,
    ) -> Result<CreatedSatellite, ClientError> {
        self.exchange("make the satellite", Method::POST, SATELLITES, request).await
    }

    /// Changes a satellite.
    pub async fn update_satellite(
        &self,
        id: Uuid,
        request: &UpdateSatellite,
    ) -> Result<Satellite, ClientError> {
        self.exchange("change the satellite", Method::PATCH, &path(id), request).await
    }

    /// Gives a satellite a new token.
    pub async fn rotate_token(
        &self,
        id: Uuid,
        request: &RotateToken,
    ) -> Result<CreatedSatellite, ClientError> {
        let path = format!("{}/rotate-token", path(id));
        self.exchange("rotate the token", Method::POST, &path, request).await
    }

    /// Removes a satellite.
    pub async fn remove_satellite(&self, id: Uuid) -> Result<(), ClientError> {
        self.delete("remove the satellite", &path(id)).await
    }

    /// Why a satellite is online or offline.
    pub async fn explain(&self, id: Uuid) -> Result<Explanation, ClientError> {
        let request = self.get(&format!("{}/explain", path(id)));
        self.json("explain the satellite", request).await
    }

    /// The newest `limit` transitions of a satellite, newest first.
    pub async fn transitions(
        &self,
        id: Uuid,
        limit: usize,
    ) -> Result<Vec<Transition>, ClientError> {
        let request = self.get(&format!("{}/transitions", path(id))).query(&[("limit", limit)]);
        let page: Page<Transition> = self.json("read the satellite's history", request).await?;
        Ok(page.items)
    }
}

fn path(id: Uuid) -> String {
    format!("{SATELLITES}/{id}")
}
