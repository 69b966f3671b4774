//! Frames of either direction.

use groundcontrol_websocket::wire::{FromSatellite, ToSatellite};

/// Bytes as a text frame of either direction never panic, and what is understood survives being
/// written and read again.
pub fn wire(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(message) = FromSatellite::parse(text) {
        let written = message.to_text();
        let again = FromSatellite::parse(&written).expect("what we write can be read");
        assert_eq!(again, message);
    }
    if let Ok(message) = ToSatellite::parse(text) {
        let written = message.to_text();
        let again = ToSatellite::parse(&written).expect("what we write can be read");
        assert_eq!(again, message);
    }
}
