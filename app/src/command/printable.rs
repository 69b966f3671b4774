//! Text from elsewhere, made safe for a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` with every character that a terminal could obey, or that hides what is written, shown
/// as `\u{…}`: control characters of both sets, and those that change the direction of text or
/// take no room.
///
/// ```
/// use groundcontrol::command::printable;
/// assert_eq!(printable("Zürich 1"), "Zürich 1");
/// assert_eq!(printable("\u{1b}[2Jgone"), "\\u{1b}[2Jgone");
/// ```
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match is_unsafe(c) {
            true => safe.extend(c.escape_unicode()),
            false => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// JSON with the same characters escaped in JSON's way; its meaning stays. Line breaks between
/// values stay as they are.
pub(crate) fn printable_json(json: &str) -> Cow<'_, str> {
    let obeyed = |c: char| c != '\n' && is_unsafe(c);
    if !json.chars().any(obeyed) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len() + 8);
    for c in json.chars() {
        if obeyed(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_gets_through() {
        for hostile in
            ["\u{1b}]0;x\u{7}", "\u{9b}2J", "a\rb", "a\nb", "\u{202e}gnp", "a\u{200b}b", "\u{7f}"]
        {
            let safe = printable(hostile);
            assert!(!safe.chars().any(is_unsafe), "{safe}");
            assert_ne!(safe, hostile);
        }
    }

    #[test]
    fn json_keeps_its_meaning() {
        let hostile =
            serde_json::to_string("\u{1b}[2J \u{9b}2J \u{202e} \u{7f} \u{e0001} é").unwrap();
        let safe = printable_json(&hostile);
        assert!(!safe.chars().any(is_unsafe), "{safe}");
        let read = |json: &str| serde_json::from_str::<String>(json).unwrap();
        assert_eq!(read(&safe), read(&hostile));
    }
}
