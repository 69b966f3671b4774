//! `${{ secrets.NAME }}` in a text.

use super::name::is_name;

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text that stands for itself, whatever it looks like.
    Literal(&'a str),
    /// The name of a secret, whose value stands here.
    Secret(&'a str),
}

/// The parts of a text, in order: see [`pieces`].
#[derive(Clone, Debug)]
pub struct Pieces<'a> {
    rest: &'a str,
    /// The name of the secret that follows the literal which was given last.
    next: Option<&'a str>,
}

const OPEN: &str = "${{";
const CLOSE: &str = "}}";
const SECRETS: &str = "secrets.";

/// The parts of `text`. Put together again, with each secret's value in its place, they are what
/// the text means. Names are letters, digits, `_` and `-`; white space inside the braces does not
/// matter; what is no reference to a secret is a literal.
///
/// ```
/// use groundcontrol_core::secrets::{Piece, pieces};
/// let parts: Vec<_> = pieces("Bearer ${{ secrets.api-key }}.").collect();
/// assert_eq!(parts, [Piece::Literal("Bearer "), Piece::Secret("api-key"), Piece::Literal(".")]);
/// assert_eq!(pieces("${{ env.HOME }}").collect::<Vec<_>>(), [Piece::Literal("${{ env.HOME }}")]);
/// ```
pub fn pieces(text: &str) -> Pieces<'_> {
    Pieces { rest: text, next: None }
}

/// Whether `text` refers to any secret.
pub fn has_reference(text: &str) -> bool {
    pieces(text).any(|piece| matches!(piece, Piece::Secret(_)))
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if let Some(name) = self.next.take() {
            return Some(Piece::Secret(name));
        }
        if self.rest.is_empty() {
            return None;
        }
        let text = self.rest;
        let Some((start, name, end)) = first_reference(text) else {
            self.rest = "";
            return Some(Piece::Literal(text));
        };
        self.rest = &text[end..];
        if start == 0 {
            return Some(Piece::Secret(name));
        }
        self.next = Some(name);
        Some(Piece::Literal(&text[..start]))
    }
}

/// Where the first reference begins, whom it names, and where it ends.
fn first_reference(text: &str) -> Option<(usize, &str, usize)> {
    let mut from = 0;
    while let Some(at) = text[from..].find(OPEN) {
        let start = from + at;
        let inside = start + OPEN.len();
        if let Some((name, length)) = reference(&text[inside..]) {
            return Some((start, name, inside + length));
        }
        // One byte on, not three: in `${${{` the second brace opens.
        from = start + 1;
    }
    None
}

/// The name in ` secrets.NAME }}`, and the length of it all.
fn reference(inside: &str) -> Option<(&str, usize)> {
    let body = inside.trim_start().strip_prefix(SECRETS)?;
    let length = body.find(|c: char| !is_name(c)).unwrap_or(body.len());
    let (name, after) = body.split_at(length);
    let after = after.trim_start().strip_prefix(CLOSE)?;
    (!name.is_empty()).then(|| (name, inside.len() - after.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<Piece<'_>> {
        pieces(text).collect()
    }

    #[test]
    fn references_are_found_wherever_they_stand() {
        use Piece::{Literal, Secret};
        assert_eq!(parts("${{secrets.A}}"), [Secret("A")]);
        assert_eq!(parts("${{ \t secrets.A-b_1\n }}"), [Secret("A-b_1")]);
        assert_eq!(
            parts("a${{ secrets.A }}b${{ secrets.B }}${{ secrets.C }}"),
            [Literal("a"), Secret("A"), Literal("b"), Secret("B"), Secret("C")]
        );
        assert_eq!(parts("${${{ secrets.A }}"), [Literal("${"), Secret("A")]);
        assert_eq!(parts("a${{${{ secrets.A }}"), [Literal("a${{"), Secret("A")]);
        assert_eq!(parts("${{ é }}${{ secrets.A }}"), [Literal("${{ é }}"), Secret("A")]);
        assert!(has_reference("a${{ b }}${{ secrets.A }}"));
    }

    #[test]
    fn what_is_no_reference_is_left_alone() {
        for text in [
            "plain",
            "${{ secrets. }}",
            "${{ secrets.A",
            "${{ secrets.A }",
            "${{ secrets.a b }}",
            "${{ secrets.ä }}",
            "${{ secret.A }}",
            "${{ Secrets.A }}",
            "$ {{ secrets.A }}",
            "{{ secrets.A }}",
            "${{ secrets.A.B }}",
        ] {
            assert_eq!(parts(text), [Piece::Literal(text)], "{text}");
            assert!(!has_reference(text));
        }
        assert_eq!(parts(""), []);
    }

    #[test]
    fn the_pieces_of_a_thousand_references_are_all_of_the_text() {
        let text = "x${{ secrets.A }}".repeat(1_000);
        let secrets = pieces(&text).filter(|piece| matches!(piece, Piece::Secret("A"))).count();
        assert_eq!((secrets, parts(&text).len()), (1_000, 2_000));
    }
}
