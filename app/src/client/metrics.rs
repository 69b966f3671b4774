//! The few figures of `/metrics` that the load report shows.

use super::error::ClientError;
use super::request::Client;

/// What a server says of itself in the Prometheus text format.
#[derive(Clone, Debug, Default)]
pub struct ServerMetrics(String);

impl ServerMetrics {
    /// The value of the metric called `name`; of several series, the sum.
    pub fn value(&self, name: &str) -> Option<f64> {
        let mut sum = None;
        for line in self.0.lines() {
            let Some(rest) = line.strip_prefix(name) else { continue };
            let value = match rest.bytes().next() {
                Some(b' ') => rest.trim(),
                Some(b'{') => rest.rsplit_once('}').map_or("", |(_, value)| value.trim()),
                _ => continue,
            };
            let number = value.split(' ').next().and_then(|number| number.parse::<f64>().ok());
            if let Some(number) = number {
                sum = Some(sum.unwrap_or(0.0) + number);
            }
        }
        sum
    }

    /// Bytes of memory that the server's process occupies; none where it does not tell.
    pub fn resident_bytes(&self) -> Option<f64> {
        self.value("process_resident_memory_bytes")
    }
}

impl From<String> for ServerMetrics {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Client {
    /// What the server says of itself.
    pub async fn metrics(&self) -> Result<ServerMetrics, ClientError> {
        let answer = self.send("read the server's metrics", self.get("/metrics")).await?;
        answer.text().await.map(ServerMetrics).map_err(|error| self.unreachable(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_whole_name_and_summed_over_labels() {
        let metrics = ServerMetrics::from(
            "# TYPE process_resident_memory_bytes gauge\n\
             process_resident_memory_bytes 1.5e7\n\
             process_resident_memory_bytes_max 9\n\
             open{a=\"x y\"} 1\nopen{a=\"}\"} 2 1700000000\n"
                .to_owned(),
        );
        assert_eq!(metrics.resident_bytes(), Some(1.5e7));
        assert_eq!(metrics.value("open"), Some(3.0));
        assert_eq!(metrics.value("absent"), None);
    }
}
