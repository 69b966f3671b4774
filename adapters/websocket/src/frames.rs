//! Where in the stream of frames a socket stands.

/// Follows the bytes of a peer's frames far enough to know when a frame is complete, so that a
/// read buffer can be replaced while nothing is in it. Judges nothing.
#[derive(Debug, Default)]
pub(crate) struct FrameTracker {
    header: [u8; 14],
    have: u8,
    payload_left: u64,
    fragmented: bool,
}

const FIN: u8 = 0x80;
const OPCODE: u8 = 0x0f;
const FIRST_CONTROL: u8 = 0x08;
const MASKED: u8 = 0x80;

impl FrameTracker {
    /// Takes what was read; true when a frame with a payload of more than `large` bytes began.
    pub(crate) fn advance(&mut self, mut bytes: &[u8], large: usize) -> bool {
        let mut began_large = false;
        while !bytes.is_empty() {
            if self.payload_left > 0 {
                let taken = self.payload_left.min(bytes.len() as u64);
                self.payload_left -= taken;
                bytes = &bytes[taken as usize..];
                continue;
            }
            self.header[usize::from(self.have)] = bytes[0];
            self.have += 1;
            bytes = &bytes[1..];
            if usize::from(self.have) == self.header_len() {
                self.begin_payload();
                began_large |= self.payload_left > large as u64;
            }
        }
        began_large
    }

    /// Whether everything so far was complete messages.
    pub(crate) const fn is_between_messages(&self) -> bool {
        self.have == 0 && self.payload_left == 0 && !self.fragmented
    }

    fn header_len(&self) -> usize {
        if self.have < 2 {
            return usize::MAX;
        }
        let mask = if self.header[1] & MASKED == 0 { 0 } else { 4 };
        2 + self.length_len() + mask
    }

    const fn length_len(&self) -> usize {
        match self.header[1] & !MASKED {
            126 => 2,
            127 => 8,
            _ => 0,
        }
    }

    fn begin_payload(&mut self) {
        let extended = &self.header[2..2 + self.length_len()];
        self.payload_left = match extended {
            [] => u64::from(self.header[1] & !MASKED),
            bytes => bytes.iter().fold(0, |len, byte| len << 8 | u64::from(*byte)),
        };
        if self.header[0] & OPCODE < FIRST_CONTROL {
            self.fragmented = self.header[0] & FIN == 0;
        }
        self.have = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(first: u8, payload: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload {
            0..=125 => bytes.push(MASKED | payload as u8),
            126..=65_535 => {
                bytes.push(MASKED | 126);
                bytes.extend((payload as u16).to_be_bytes());
            }
            _ => {
                bytes.push(MASKED | 127);
                bytes.extend((payload as u64).to_be_bytes());
            }
        }
        bytes.extend([1, 2, 3, 4]);
        bytes.extend(std::iter::repeat_n(7, payload));
        bytes
    }

    #[test]
    fn the_ends_of_frames_are_found_however_the_bytes_arrive() {
        for payload in [0, 1, 125, 126, 65_535, 65_536] {
            let bytes = frame(0x81, payload);
            for step in [1, 3, 512, bytes.len()] {
                let mut tracker = FrameTracker::default();
                let mut large = false;
                for (at, chunk) in bytes.chunks(step).enumerate() {
                    assert_eq!(tracker.is_between_messages(), at == 0, "{payload} by {step}");
                    large |= tracker.advance(chunk, 125);
                }
                assert!(tracker.is_between_messages(), "{payload} by {step}");
                assert_eq!(large, payload > 125, "{payload} by {step}");
            }
        }
    }

    #[test]
    fn a_message_in_fragments_ends_with_its_last_one_whatever_comes_between() {
        let mut tracker = FrameTracker::default();
        for (first, between) in [(0x01, false), (0x89, false), (0x00, false), (0x80, true)] {
            tracker.advance(&frame(first, 10), 512);
            assert_eq!(tracker.is_between_messages(), between, "{first:x}");
        }
    }

    #[test]
    fn any_length_is_taken_as_it_is_written() {
        let mut tracker = FrameTracker::default();
        let mut header = vec![0x82, 127];
        header.extend(u64::MAX.to_be_bytes());
        assert!(tracker.advance(&header, 512));
        tracker.advance(&[0; 1000], 512);
        assert!(!tracker.is_between_messages());
    }
}
