//! Why there is no answer, in words for whoever made the webhook.

use std::error::Error;
use std::io;

use rustls::CertificateError;

/// The error with its causes, without the URL, which an operator may have put a key into.
pub(crate) fn in_words(error: &reqwest::Error) -> String {
    let text = match (error.is_timeout(), error.is_connect()) {
        (true, _) => "no answer in time",
        (false, true) => "no connection",
        (false, false) => "the exchange failed",
    };
    match of_certificate(error) {
        Some(why) => format!("{text}: {}", distrust(why)),
        None => with_causes(text.to_owned(), error),
    }
}

fn with_causes(mut text: String, error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(why) = cause {
        let why_text = why.to_string();
        if !text.contains(&why_text) && !why_text.contains("://") {
            text = format!("{text}: {why_text}");
        }
        cause = why.source();
    }
    text
}

/// What was wrong with the receiver's certificate, if that is the cause.
fn of_certificate<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CertificateError> {
    if let Some(rustls::Error::InvalidCertificate(why)) = error.downcast_ref() {
        return Some(why);
    }
    // An error of input or output answers the cause of what it holds, and not what it holds.
    match error.downcast_ref().and_then(io::Error::get_ref) {
        Some(held) => of_certificate(held),
        None => error.source().and_then(of_certificate),
    }
}

fn distrust(why: &CertificateError) -> String {
    match why {
        // Signed by somebody else under the name of an authority that is trusted: the same.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "nobody who is trusted here vouches for its certificate; an operator names a private \
             authority with --webhook-ca-file"
                .to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet".to_owned()
        }
        CertificateError::NotValidForName => "its certificate is for another name".to_owned(),
        CertificateError::NotValidForNameContext { expected, .. } => {
            format!("its certificate is for another name than {}", expected.to_str())
        }
        why => format!("its certificate cannot be trusted: {why}"),
    }
}
