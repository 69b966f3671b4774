//! Server-Sent Events, from bytes to messages. No I/O.

/// The longest line, in bytes, that is read; a server that sends more is not ours.
const LONGEST_LINE: usize = 1024 * 1024;

/// One message of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SseMessage {
    /// The `id:` that came with it; none where none came.
    pub(super) id: Option<String>,
    /// Its `data:` lines; empty where it only moves the place to resume after.
    pub(super) data: String,
}

/// A line is longer than any that this API sends, or not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event stream carried something that is no event")]
pub(super) struct NotAStream;

/// Takes bytes as they come and gives messages as they are complete.
#[derive(Debug, Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    after_return: bool,
    message: SseMessage,
    has_data: bool,
}

impl Parser {
    /// Reads `bytes` and adds the messages that they complete to `messages`.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        messages: &mut impl Extend<SseMessage>,
    ) -> Result<(), NotAStream> {
        for &byte in bytes {
            let second_half = byte == b'\n' && std::mem::take(&mut self.after_return);
            self.after_return = byte == b'\r';
            match byte {
                _ if second_half => {}
                b'\n' | b'\r' => messages.extend(self.end_line()?),
                _ if self.line.len() == LONGEST_LINE => return Err(NotAStream),
                _ => self.line.push(byte),
            }
        }
        Ok(())
    }

    fn end_line(&mut self) -> Result<Option<SseMessage>, NotAStream> {
        let line = std::mem::take(&mut self.line);
        let line = std::str::from_utf8(&line).map_err(|_| NotAStream)?;
        if line.is_empty() {
            let message = std::mem::take(&mut self.message);
            let complete = std::mem::take(&mut self.has_data) || message.id.is_some();
            return Ok(complete.then_some(message));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if self.has_data {
                    self.message.data.push('\n');
                }
                self.has_data = true;
                self.message.data.push_str(value);
            }
            "id" if !value.contains('\0') => self.message.id = Some(value.to_owned()),
            // `event` and `retry` say nothing that the data does not; the rest are comments.
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pieces: &[&str]) -> Vec<SseMessage> {
        let (mut parser, mut messages) = (Parser::default(), Vec::new());
        for piece in pieces {
            parser.push(piece.as_bytes(), &mut messages).unwrap();
        }
        messages
    }

    fn message(id: Option<&str>, data: &str) -> SseMessage {
        SseMessage { id: id.map(str::to_owned), data: data.to_owned() }
    }

    #[test]
    fn a_message_ends_with_an_empty_line() {
        assert_eq!(parse(&["id: 1-2\nevent: x\ndata: {}\n"]), []);
        assert_eq!(parse(&["id: 1-2\nevent: x\ndata: {}\n\n"]), [message(Some("1-2"), "{}")]);
    }

    #[test]
    fn bytes_may_come_in_any_pieces_and_lines_end_in_any_way() {
        let text = "id:7\r\ndata: a\r\n\r\ndata: b\rdata: c\r\r: comment\n\ndata:d\n\n";
        let whole = parse(&[text]);
        assert_eq!(whole, [message(Some("7"), "a"), message(None, "b\nc"), message(None, "d")]);
        let single: Vec<String> = text.chars().map(String::from).collect();
        assert_eq!(parse(&single.iter().map(String::as_str).collect::<Vec<_>>()), whole);
    }

    #[test]
    fn an_id_alone_moves_the_place_to_resume_after() {
        assert_eq!(parse(&["id: 4-2\n\n"]), [message(Some("4-2"), "")]);
    }

    #[test]
    fn comments_alone_are_no_message() {
        assert_eq!(parse(&[": keep-alive\n\n"]), []);
    }

    #[test]
    fn an_endless_line_is_refused() {
        let endless = vec![b'x'; LONGEST_LINE + 1];
        assert_eq!(Parser::default().push(&endless, &mut Vec::new()), Err(NotAStream));
    }
}
