//! A strict reader for the XML of S3: the root element of a document, and code and message of an error. A document with
//! more than one reading has no reading here. Pure.

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Document<'a> {
    /// A list of buckets. Only the beginning is read: the list can be longer than the part of the body that was received.
    Buckets,
    /// An error with exactly 1 code.
    Error {
        /// The code.
        code: &'a str,
        /// The message, with its escapes, or an empty text.
        message: &'a str,
    },
    /// Another document, or an error that has no single reading.
    Other,
    /// No XML, or HTML.
    Foreign,
}

/// A start tag or an end tag.
struct Tag<'a> {
    /// The name with its prefix.
    name: &'a str,
    kind: Kind,
}

#[derive(PartialEq, Eq)]
enum Kind {
    Start,
    End,
    Empty,
}

/// Reads the first part of a body.
pub(super) fn read(body: &[u8]) -> Document<'_> {
    match root(valid_prefix(body)) {
        None => Document::Foreign,
        Some((root, _)) if local(root.name).eq_ignore_ascii_case("html") => Document::Foreign,
        Some((root, rest)) => match local(root.name) {
            "ListAllMyBucketsResult" => Document::Buckets,
            "Error" if root.kind == Kind::Start => match fields(root.name, rest) {
                Some((Some(code), message)) => Document::Error {
                    code,
                    message: message.unwrap_or_default(),
                },
                _ => Document::Other,
            },
            _ => Document::Other,
        },
    }
}

/// The body up to the first byte that is not UTF-8: the limit of the size can cut a character.
fn valid_prefix(body: &[u8]) -> &str {
    let text = match std::str::from_utf8(body) {
        Ok(text) => text,
        Err(error) => {
            let valid = body.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
    };
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The start tag of the root, after at most an XML declaration, and the text after the tag.
fn root(text: &str) -> Option<(Tag<'_>, &str)> {
    let text = text.trim_start();
    let text = match text.strip_prefix("<?xml") {
        Some(declaration) => declaration.split_once("?>")?.1.trim_start(),
        None => text,
    };
    let (tag, rest) = tag(text.strip_prefix('<')?)?;
    (tag.kind != Kind::End).then_some((tag, rest))
}

/// The code and the message among the children of an error. `None` for a document that is malformed, incomplete or
/// ambiguous.
fn fields<'a>(root: &'a str, mut rest: &'a str) -> Option<(Option<&'a str>, Option<&'a str>)> {
    let (mut code, mut message) = (None, None);
    let mut open = vec![root];
    let mut is_leaf = false;
    while !open.is_empty() {
        let (text, after) = rest.split_once('<')?;
        let (tag, after) = tag(after)?;
        rest = after;
        match tag.kind {
            Kind::Start => open.push(tag.name),
            Kind::End if open.pop() != Some(tag.name) => return None,
            Kind::End | Kind::Empty => {}
        }
        let was_leaf = std::mem::replace(&mut is_leaf, tag.kind == Kind::Start);
        if open.len() != 1 || tag.kind == Kind::Start {
            continue;
        }
        let field = match local(tag.name) {
            "Code" => &mut code,
            "Message" => &mut message,
            _ => continue,
        };
        let value = match tag.kind {
            Kind::Empty => "",
            _ if was_leaf => text.trim(),
            _ => return None,
        };
        if field.is_some() {
            return None;
        }
        *field = Some(value);
    }
    rest.trim().is_empty().then_some((code, message))
}

/// The tag behind a `<`, and the text after the tag. `None` for a comment, a CDATA section, a document type, an
/// instruction, or a tag without an end.
fn tag(text: &str) -> Option<(Tag<'_>, &str)> {
    let mut quote = None;
    let end = text.find(|character| match (quote, character) {
        (None, '>') => true,
        (None, '"' | '\'') => {
            quote = Some(character);
            false
        }
        (Some(open), _) if open == character => {
            quote = None;
            false
        }
        _ => false,
    })?;
    let (inner, rest) = text.split_at_checked(end)?;
    let rest = rest.strip_prefix('>')?;
    let (kind, inner) = if let Some(inner) = inner.strip_prefix('/') {
        (Kind::End, inner)
    } else if let Some(inner) = inner.strip_suffix('/') {
        (Kind::Empty, inner)
    } else {
        (Kind::Start, inner)
    };
    let name = inner.split(char::is_whitespace).next().unwrap_or_default();
    let is_name = |text: &str| {
        let mut bytes = text.bytes();
        let first = bytes.next();
        first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte))
    };
    is_name(name).then_some((Tag { name, kind }, rest))
}

/// A name without its prefix: stores in Java write prefixes of namespaces, and SDKs ignore these.
fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or_default()
}
