//! Expressions over tags: `tier in (edge, core), !lab`.

use std::fmt;
use std::iter::Peekable;
use std::str::{CharIndices, FromStr};

use crate::limits;
use crate::satellite::Tags;

/// Terms that must all hold of a satellite's tags. Without any, every satellite matches.
///
/// A term is `key` (the tag is there), `!key` (it is not), `key = value` (or `==`), `key != value`,
/// `key in (a, b)` or `key notin (a, b)`; the negative ones hold where the tag is absent, too.
/// Words are letters, digits and `_ - . / : @ +`; anything else goes between double quotes, in
/// which `\"` and `\\` stand for a quote and a backslash.
///
/// ```
/// use groundcontrol_core::assignment::TagExpression;
/// let expression: TagExpression = "tier in (edge, core), !lab".parse().unwrap();
/// assert_eq!(expression.to_string(), "tier in (edge, core), !lab");
/// let error = "tier in edge".parse::<TagExpression>().unwrap_err();
/// assert_eq!(error.to_string(), "at character 9: expected '(' after in, found 'e'");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagExpression(Vec<Term>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// The tag is there.
    Exists(String),
    /// The tag is not there.
    Absent(String),
    /// The tag has this value.
    Is(String, String),
    /// The tag has another value, or is not there.
    IsNot(String, String),
    /// The tag has one of these values.
    In(String, Vec<String>),
    /// The tag has none of these values, or is not there.
    NotIn(String, Vec<String>),
}

/// Where an expression cannot be understood, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: {why}")]
pub struct ExpressionError {
    /// The character, from 1.
    pub at: usize,
    /// What was expected and found.
    pub why: String,
}

impl TagExpression {
    /// Its terms.
    pub fn terms(&self) -> &[Term] {
        &self.0
    }

    /// Whether all terms hold of `tags`.
    pub fn matches(&self, tags: &Tags) -> bool {
        let tag = |key: &str| tags.as_map().get(key).map(String::as_str);
        self.0.iter().all(|term| match term {
            Term::Exists(key) => tag(key).is_some(),
            Term::Absent(key) => tag(key).is_none(),
            Term::Is(key, value) => tag(key) == Some(value),
            Term::IsNot(key, value) => tag(key) != Some(value),
            Term::In(key, values) => tag(key).is_some_and(|has| values.iter().any(|v| v == has)),
            Term::NotIn(key, values) => {
                !tag(key).is_some_and(|has| values.iter().any(|v| v == has))
            }
        })
    }
}

impl FromStr for TagExpression {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, ExpressionError> {
        let (chars, most) = (text.chars().count(), limits::MAX_SELECTOR_CHARS);
        if chars > most {
            let why = format!("has {chars} characters; at most {most} are allowed");
            return Err(ExpressionError { at: most + 1, why });
        }
        let expression = Self(terms(text)?);
        // It must be possible to read it back in the form that it is shown in.
        let shown = expression.to_string().chars().count();
        if shown > most {
            let why = format!("written out it has {shown} characters; at most {most} are allowed");
            return Err(ExpressionError { at: chars + 1, why });
        }
        Ok(expression)
    }
}

fn terms(text: &str) -> Result<Vec<Term>, ExpressionError> {
    let mut parser = Parser { text, rest: text.char_indices().peekable() };
    let mut terms = Vec::new();
    parser.skip_space();
    if parser.rest.peek().is_none() {
        return Ok(terms);
    }
    loop {
        terms.push(parser.term()?);
        match parser.next_after_space() {
            None => return Ok(terms),
            Some((_, ',')) => {}
            Some((at, found)) => {
                return Err(
                    parser.error(at, format!("expected ',' between terms, found {found:?}"))
                );
            }
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
}

impl Parser<'_> {
    fn term(&mut self) -> Result<Term, ExpressionError> {
        self.skip_space();
        if self.rest.next_if(|(_, c)| *c == '!').is_some() {
            return self.word("a tag's key after '!'").map(Term::Absent);
        }
        let key = self.word("a tag's key")?;
        self.skip_space();
        match self.rest.peek().copied() {
            None | Some((_, ',')) => Ok(Term::Exists(key)),
            Some((_, '=')) => {
                self.rest.next();
                self.rest.next_if(|(_, c)| *c == '=');
                Ok(Term::Is(key, self.word("a value after '='")?))
            }
            Some((at, '!')) => {
                self.rest.next();
                if self.rest.next_if(|(_, c)| *c == '=').is_none() {
                    return Err(
                        self.error(at, "expected '!=' here; '!' alone goes before a key".into())
                    );
                }
                Ok(Term::IsNot(key, self.word("a value after '!='")?))
            }
            Some((at, _)) => match self.bare_word().as_str() {
                "in" => Ok(Term::In(key, self.values("in")?)),
                "notin" => Ok(Term::NotIn(key, self.values("notin")?)),
                _ => {
                    let why = "expected '=', '!=', 'in', 'notin' or ',' after a key".into();
                    Err(self.error(at, why))
                }
            },
        }
    }

    fn values(&mut self, operator: &str) -> Result<Vec<String>, ExpressionError> {
        match self.next_after_space() {
            Some((_, '(')) => {}
            other => return Err(self.unexpected(other, &format!("'(' after {operator}"))),
        }
        let mut values = Vec::new();
        loop {
            values.push(self.word("a value")?);
            match self.next_after_space() {
                Some((_, ',')) => {}
                Some((_, ')')) => return Ok(values),
                other => return Err(self.unexpected(other, "',' or ')' after a value")),
            }
        }
    }

    fn word(&mut self, what: &str) -> Result<String, ExpressionError> {
        self.skip_space();
        if let Some((at, _)) = self.rest.next_if(|(_, c)| *c == '"') {
            return self.quoted(at);
        }
        let word = self.bare_word();
        if word.is_empty() {
            let next = self.rest.peek().copied();
            return Err(self.unexpected(next, what));
        }
        Ok(word)
    }

    fn bare_word(&mut self) -> String {
        let mut word = String::new();
        while let Some((_, c)) = self.rest.next_if(|(_, c)| is_word(*c)) {
            word.push(c);
        }
        word
    }

    fn quoted(&mut self, opened_at: usize) -> Result<String, ExpressionError> {
        let mut word = String::new();
        while let Some((at, c)) = self.rest.next() {
            match c {
                '"' => return Ok(word),
                '\\' => match self.rest.next() {
                    Some((_, c @ ('"' | '\\'))) => word.push(c),
                    _ => {
                        let why = "after a backslash only a quote or a backslash may stand";
                        return Err(self.error(at, why.into()));
                    }
                },
                c => word.push(c),
            }
        }
        Err(self.error(opened_at, "this quote is never closed".into()))
    }

    fn skip_space(&mut self) {
        while self.rest.next_if(|(_, c)| c.is_whitespace()).is_some() {}
    }

    fn next_after_space(&mut self) -> Option<(usize, char)> {
        self.skip_space();
        self.rest.next()
    }

    fn unexpected(&self, found: Option<(usize, char)>, wanted: &str) -> ExpressionError {
        match found {
            Some((at, c)) => self.error(at, format!("expected {wanted}, found {c:?}")),
            None => self.error(self.text.len(), format!("expected {wanted}, found the end")),
        }
    }

    fn error(&self, byte: usize, why: String) -> ExpressionError {
        let before = self.text.get(..byte).unwrap_or(self.text);
        ExpressionError { at: before.chars().count() + 1, why }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || "_-./:@+".contains(c)
}

impl fmt::Display for TagExpression {
    /// In a form that reads back as the same expression.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, term) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            term.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists(key) => Word(key).fmt(f),
            Self::Absent(key) => write!(f, "!{}", Word(key)),
            Self::Is(key, value) => write!(f, "{} = {}", Word(key), Word(value)),
            Self::IsNot(key, value) => write!(f, "{} != {}", Word(key), Word(value)),
            Self::In(key, values) => write!(f, "{} in ({})", Word(key), Words(values)),
            Self::NotIn(key, values) => write!(f, "{} notin ({})", Word(key), Words(values)),
        }
    }
}

struct Word<'a>(&'a str);
struct Words<'a>(&'a [String]);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_empty() && self.0.chars().all(is_word) {
            return f.write_str(self.0);
        }
        write!(f, "\"{}\"", self.0.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.0.iter().map(|word| Word(word).to_string()).collect();
        f.write_str(&words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(expression: &str, tags: &[(&str, &str)]) -> bool {
        let map = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        expression.parse::<TagExpression>().unwrap().matches(&Tags::new(map).unwrap())
    }

    fn error(text: &str) -> String {
        text.parse::<TagExpression>().unwrap_err().to_string()
    }

    #[test]
    fn all_terms_must_hold() {
        let expression = "tier in (edge, core), !lab";
        assert!(matches(expression, &[("tier", "edge")]));
        assert!(!matches(expression, &[("tier", "edge"), ("lab", "")]));
        assert!(!matches(expression, &[("tier", "far")]));
        assert!(!matches(expression, &[]));
    }

    #[test]
    fn nothing_asked_is_always_so() {
        assert!(matches("", &[]) && matches("  ", &[("a", "b")]));
    }

    #[test]
    fn negative_terms_hold_where_the_tag_is_absent() {
        assert!(matches("a != b", &[]) && matches("a notin (b)", &[]));
        assert!(!matches("a != b", &[("a", "b")]) && !matches("a notin (c, b)", &[("a", "b")]));
        assert!(matches("a != b", &[("a", "c")]) && matches("a notin (b)", &[("a", "c")]));
        assert!(!matches("a = b", &[]) && !matches("a in (b)", &[]) && !matches("a", &[]));
    }

    #[test]
    fn a_key_may_be_called_as_an_operator_is() {
        assert!(matches("in in (notin)", &[("in", "notin")]));
    }

    #[test]
    fn quotes_carry_any_character() {
        assert!(matches(r#""a b" = "c, \"d\" \\""#, &[("a b", r#"c, "d" \"#)]));
    }

    #[test]
    fn errors_name_the_place_in_characters() {
        assert_eq!(
            error("é ("),
            "at character 3: expected '=', '!=', 'in', 'notin' or ',' after a key"
        );
        assert_eq!(error("a,"), "at character 3: expected a tag's key, found the end");
        assert_eq!(
            error("a in (b"),
            "at character 8: expected ',' or ')' after a value, found the end"
        );
        assert_eq!(error("a in ()"), "at character 7: expected a value, found ')'");
        assert_eq!(error("a = \"b"), "at character 5: this quote is never closed");
        assert_eq!(
            error("a b"),
            "at character 3: expected '=', '!=', 'in', 'notin' or ',' after a key"
        );
        assert_eq!(error("a = b c"), "at character 7: expected ',' between terms, found 'c'");
        assert_eq!(error("!"), "at character 2: expected a tag's key after '!', found the end");
    }

    #[test]
    fn two_equals_signs_say_what_one_says() {
        assert_eq!("a == b".parse::<TagExpression>(), "a = b".parse());
        assert_eq!("a==b".parse::<TagExpression>(), "a = b".parse());
    }

    #[test]
    fn every_kind_of_term_is_kept_and_shown_so_that_it_reads_back() {
        let text = r#"a, !b, c = d, e != "f g", h in (i, ""), j notin ("k\"", "\\", l)"#;
        let expression: TagExpression = text.parse().unwrap();
        let word = str::to_owned;
        assert_eq!(
            expression.terms(),
            [
                Term::Exists(word("a")),
                Term::Absent(word("b")),
                Term::Is(word("c"), word("d")),
                Term::IsNot(word("e"), word("f g")),
                Term::In(word("h"), vec![word("i"), word("")]),
                Term::NotIn(word("j"), vec![word("k\""), word("\\"), word("l")]),
            ]
        );
        assert_eq!(expression.to_string(), text);
    }

    #[test]
    fn an_expression_that_is_too_long_is_refused_at_the_first_character_too_many() {
        let most = limits::MAX_SELECTOR_CHARS;
        assert!("a".repeat(most).parse::<TagExpression>().is_ok());
        let error = "a".repeat(most + 2).parse::<TagExpression>().unwrap_err();
        assert_eq!(error.at, most + 1);
    }

    #[test]
    fn an_expression_that_could_not_be_read_back_once_it_is_written_out_is_refused() {
        let crowded = |terms: usize| vec!["a"; terms].join(",").parse::<TagExpression>();
        // Written out as `a, a, a`.
        let most = limits::MAX_SELECTOR_CHARS.div_ceil(3);
        let shown = crowded(most).unwrap().to_string();
        assert_eq!(shown.parse(), crowded(most));
        // The whole text was read: its `n` characters and `n - 1` commas.
        assert_eq!(crowded(most + 1).unwrap_err().at, 2 * (most + 1));
    }
}
