//! A site with a server, and a tab that shows its console.

use groundcontrol_testbrowser::Tab;
use groundcontrol_testkit::server::{Api, Satellite, Server, Site};
use reqwest::StatusCode;
use serde_json::{Value, json};

/// A server, a client of its API, and a tab.
pub(crate) struct Stage {
    pub(crate) site: Site,
    pub(crate) server: Server,
    pub(crate) api: Api,
    pub(crate) tab: Tab,
}

impl Stage {
    /// The tab shows the sign-in page.
    pub(crate) async fn new() -> Self {
        Self::at(Site::new()).await
    }

    pub(crate) async fn at(site: Site) -> Self {
        Self::with(site, &[]).await
    }

    /// The server is started with these arguments besides.
    pub(crate) async fn with(site: Site, arguments: &[&str]) -> Self {
        let server = site.serve_with(arguments).await;
        let api = site.api(&server);
        let tab = Tab::new().await;
        tab.go(&format!("{}/", server.url())).await;
        Self { site, server, api, tab }
    }

    /// Somebody who may do everything is signed in.
    pub(crate) async fn signed_in() -> Self {
        let stage = Self::new().await;
        stage.sign_in().await;
        stage
    }

    pub(crate) async fn sign_in(&self) {
        let (_, token) = self.api_token("admin").await;
        self.present(&token).await;
        self.tab.shows("Live").await;
        // A pointer that rests on the table would keep its rows in their places.
        self.tab.point_at(".brand", "Ground Control").await;
    }

    /// An API token with this scope: its id and itself.
    pub(crate) async fn api_token(&self, scope: &str) -> (String, String) {
        let wanted = json!({"name": format!("a browser's, {scope}"), "scopes": [scope]});
        let made = self.api.post("/api/v1/api-tokens", &wanted).await.expect(StatusCode::CREATED);
        let text = |value: &Value| value.as_str().expect("it is text").to_owned();
        let token = text(&made["token"]);
        self.site.keep_secret(&token);
        (text(&made["apiToken"]["id"]), token)
    }

    /// Fills in the sign-in page.
    pub(crate) async fn present(&self, token: &str) {
        self.tab.fill("API token", token).await;
        self.tab.click("button", "Sign in").await;
    }

    /// Makes a satellite with this name by the API.
    pub(crate) async fn make(&self, name: &str, region: &str) -> Satellite {
        let wanted = json!({"name": name, "region": region, "tags": {"env": "prod"}});
        let made = self.api.post("/api/v1/satellites", &wanted).await.expect(StatusCode::CREATED);
        let satellite = Satellite::read(&made);
        self.site.keep_secret(&satellite.token);
        satellite
    }

    /// Makes a webhook that wants every event by the API; answers its path.
    pub(crate) async fn webhook(&self, name: &str, url: &str) -> String {
        let wanted = json!({"name": name, "url": url});
        let made = self.api.post("/api/v1/webhooks", &wanted).await.expect(StatusCode::CREATED);
        self.site.keep_secret(made["secret"].as_str().expect("it is text"));
        format!("/api/v1/webhooks/{}", made["webhook"]["id"].as_str().expect("it is text"))
    }

    /// Goes to the page of a webhook.
    pub(crate) async fn open_webhook(&self, name: &str) {
        self.tab.click("nav a", "Events").await;
        self.tab.click("nav a", "Webhooks").await;
        self.tab.click(".hooks a", name).await;
        let shown = format!("document.querySelector('h1').textContent === {}", json!(name));
        let _: bool = self.tab.until(&format!("the page of {name} is shown"), &shown).await;
    }

    /// Nothing was asked of anybody but the server.
    pub(crate) fn stayed_at_home(&self) {
        let home = format!("{}/", self.server.url());
        let requests = self.tab.requests();
        let away: Vec<_> = requests.iter().filter(|url| !url.starts_with(&home)).collect();
        assert!(requests.len() > 20, "{requests:?}");
        assert!(away.is_empty(), "{away:?}");
    }

    /// No script threw, and no policy was broken.
    pub(crate) fn complained_of_nothing(&self) {
        let mut complaints = self.tab.complaints();
        // What a server does not offer is asked for once; the first look is at a page without a session.
        complaints
            .retain(|text| !text.contains("Failed to load resource") && !text.contains("Verbose"));
        assert!(complaints.is_empty(), "{complaints:#?}");
    }

    /// Waits until the row of a satellite in the fleet says `status`.
    pub(crate) async fn row_says(&self, name: &str, status: &str) {
        let row = row(name);
        let expression =
            format!("{row}?.querySelector('.standing').textContent === {}", json!(status));
        let _: bool = self.tab.until(&format!("{name} is {status}"), &expression).await;
    }

    /// Waits until what a page says beside its title begins like this.
    pub(crate) async fn head_begins(&self, words: &str) {
        let expression = format!(
            "document.querySelector('.head .standing')?.textContent.startsWith({})",
            json!(words)
        );
        let _: bool = self.tab.until(&format!("it is {words}"), &expression).await;
    }

    /// Waits until the page of a satellite or a webhook says `status` beside its name.
    pub(crate) async fn head_says(&self, status: &str) {
        let expression =
            format!("document.querySelector('.head .standing')?.textContent === {}", json!(status));
        let _: bool = self.tab.until(&format!("it is {status}"), &expression).await;
    }

    /// The satellite that a dialog shows with its token.
    pub(crate) async fn shown_once(&self) -> Satellite {
        let text = async |place: &str| -> String {
            let expression = format!("document.querySelector('dialog {place}')?.textContent");
            self.tab.until("the dialog shows the token", &expression).await
        };
        let satellite = Satellite {
            token: text(".secret code").await,
            id: text(".pairs code").await,
            name: text("h2").await,
        };
        self.site.keep_secret(&satellite.token);
        satellite
    }
}

/// The row of a satellite in the fleet, as JavaScript.
pub(crate) fn row(name: &str) -> String {
    format!(
        "[...document.querySelectorAll('.fleet-table tbody:not(.space) tr')].find((row) => row.querySelector('a').textContent === {})",
        json!(name)
    )
}
