//! Output of somebody else: bounded, and without secrets.

use zeroize::Zeroize as _;

use super::mask::Masker;

/// The beginning of a stream. What comes after its bound is counted and dropped.
pub(crate) struct Capture<'a> {
    masker: &'a Masker<'a>,
    /// Longer than the bound by the longest secret: one that begins before the bound and ends
    /// after it is still found.
    kept: Vec<u8>,
    bound: usize,
    seen: u64,
}

/// What was captured.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Captured {
    /// The beginning, without secrets.
    pub(crate) text: String,
    /// Bytes in all.
    pub(crate) seen: u64,
    /// Whether the text is the beginning only.
    pub(crate) cut: bool,
}

impl<'a> Capture<'a> {
    pub(crate) fn new(bound: usize, masker: &'a Masker<'a>) -> Self {
        Self { masker, kept: Vec::new(), bound, seen: 0 }
    }

    /// Takes what was read next, however the reader cut it.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.seen += bytes.len() as u64;
        let room = (self.bound + self.masker.longest()).saturating_sub(self.kept.len());
        let more = &bytes[..bytes.len().min(room)];
        if self.kept.capacity() - self.kept.len() < more.len() {
            self.grow(more.len());
        }
        self.kept.extend_from_slice(more);
    }

    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    pub(crate) fn finish(self) -> Captured {
        let text = self.masker.text(&self.kept, self.bound);
        Captured { text, seen: self.seen, cut: self.seen > self.bound as u64 }
    }

    /// Moves to a larger buffer and wipes the old one: a secret may be in it.
    fn grow(&mut self, more: usize) {
        let mut larger = Vec::with_capacity((self.kept.len() + more) * 2);
        larger.extend_from_slice(&self.kept);
        std::mem::replace(&mut self.kept, larger).zeroize();
    }
}

impl Drop for Capture<'_> {
    fn drop(&mut self) {
        self.kept.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::SecretString;

    use super::*;

    fn captured(bound: usize, secret: &str, pieces: &[&[u8]]) -> Captured {
        let secret = SecretString::from(secret);
        let masker = Masker::new([&secret].into_iter());
        let mut capture = Capture::new(bound, &masker);
        pieces.iter().for_each(|piece| capture.push(piece));
        capture.finish()
    }

    #[test]
    fn what_exceeds_the_bound_is_counted_and_dropped() {
        let captured = captured(4, "x", &[b"abc", b"def", b"ghi"]);
        assert_eq!(captured, Captured { text: "abcd".into(), seen: 9, cut: true });
    }

    #[test]
    fn a_secret_across_the_bound_is_hidden_as_a_whole() {
        assert_eq!(captured(4, "hush", &[b"abhush", b"h"]).text, "ab***");
        assert_eq!(captured(4, "hush", &[b"abchu"]).text, "abch", "half of one is none");
    }

    proptest! {
        #[test]
        fn however_it_is_cut_into_pieces_a_secret_stays_hidden(cuts in prop::collection::vec(1_usize..6, 0..20)) {
            let text = b"say hush or hushush, not hus";
            let mut capture_pieces: Vec<&[u8]> = Vec::new();
            let mut rest: &[u8] = text;
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                capture_pieces.push(piece);
                rest = after;
            }
            capture_pieces.push(rest);
            let captured = captured(1000, "hush", &capture_pieces);
            prop_assert_eq!(captured.text, "say *** or ***, not hus");
        }
    }
}
