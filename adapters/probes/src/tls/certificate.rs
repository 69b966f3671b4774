//! What a certificate says of itself.

use std::time::SystemTime;

use serde::Serialize;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use x509_parser::parse_x509_certificate;
use x509_parser::x509::X509Name;

use crate::error::ProbeError;

/// What a certificate says of itself.
#[derive(Debug)]
pub(super) struct Certificate {
    subject: String,
    issuer: String,
    from: OffsetDateTime,
    to: OffsetDateTime,
}

/// The same at one moment.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Validity<'a> {
    subject: &'a str,
    issuer: &'a str,
    valid_from: String,
    valid_to: String,
    days_remaining: i64,
    valid: bool,
}

impl Certificate {
    pub(super) fn read(der: &[u8]) -> Result<Self, ProbeError> {
        let (_, certificate) = parse_x509_certificate(der)
            .map_err(|why| ProbeError::Failed(format!("could not read the certificate: {why}")))?;
        Ok(Self {
            subject: named(certificate.subject()),
            issuer: named(certificate.issuer()),
            from: certificate.validity().not_before.to_datetime(),
            to: certificate.validity().not_after.to_datetime(),
        })
    }

    pub(super) fn at(&self, now: SystemTime) -> Validity<'_> {
        let now = OffsetDateTime::from(now);
        Validity {
            subject: &self.subject,
            issuer: &self.issuer,
            valid_from: written(self.from),
            valid_to: written(self.to),
            days_remaining: (self.to - now).as_seconds_f64().div_euclid(DAY) as i64,
            valid: self.from <= now && now < self.to,
        }
    }
}

/// Seconds of a day.
const DAY: f64 = Duration::DAY.as_seconds_f64();

impl Validity<'_> {
    /// What is wrong with a certificate that shall be valid for so many days more.
    pub(super) fn expires_before(&self, days: u64) -> Option<String> {
        let Self { valid_from, valid_to, days_remaining, valid, .. } = self;
        if *days_remaining < 0 {
            return Some(format!("the certificate expired at {valid_to}"));
        }
        if !valid {
            return Some(format!("the certificate is not valid before {valid_from}"));
        }
        let soon = u64::try_from(*days_remaining).unwrap_or(0) < days;
        soon.then(|| {
            format!("the certificate expires in {days_remaining} days, sooner than {days}")
        })
    }
}

/// The common name, or all of it where there is none.
fn named(name: &X509Name<'_>) -> String {
    let common = name.iter_common_name().find_map(|name| name.as_str().ok());
    common.map_or_else(|| name.to_string(), str::to_owned)
}

fn written(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn at(now: OffsetDateTime) -> Option<String> {
        let certificate = Certificate {
            subject: "s".into(),
            issuer: "i".into(),
            from: datetime!(2026-01-01 0:00 UTC),
            to: datetime!(2026-03-01 0:00 UTC),
        };
        certificate.at(now.into()).expires_before(30)
    }

    #[test]
    fn a_certificate_fails_before_during_and_after_its_last_days() {
        assert_eq!(
            at(datetime!(2025-12-31 0:00 UTC)).as_deref(),
            Some("the certificate is not valid before 2026-01-01T00:00:00Z")
        );
        assert_eq!(at(datetime!(2026-01-30 0:00 UTC)), None);
        assert_eq!(
            at(datetime!(2026-01-30 0:01 UTC)).as_deref(),
            Some("the certificate expires in 29 days, sooner than 30")
        );
        assert_eq!(
            at(datetime!(2026-03-01 0:01 UTC)).as_deref(),
            Some("the certificate expired at 2026-03-01T00:00:00Z")
        );
    }
}
