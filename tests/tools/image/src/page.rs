//! An HTML page as plain texts: the page itself, and each text that it quotes in full separately, so
//! that a text that is quoted forty times is kept once.

const ENTITIES: [(&str, &str); 9] = [
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&#60;", "<"),
    ("&#62;", ">"),
    ("&#34;", "\""),
    ("&#39;", "'"),
    ("&#38;", "&"),
    // Last, since it would create new entities.
    ("&amp;", "&"),
];

/// The page first, then the quoted texts.
pub(crate) fn texts(html: &str) -> Vec<String> {
    let mut page = String::new();
    let mut quoted = Vec::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once("<pre>") {
        page.push_str(before);
        let (text, after) = after.split_once("</pre>").unwrap_or((after, ""));
        quoted.push(decoded(text));
        rest = after;
    }
    page.push_str(rest);
    let page = decoded(&without_tags(&page));
    let lines = page.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut all = vec![lines.collect::<Vec<_>>().join("\n")];
    all.extend(quoted);
    all
}

fn without_tags(html: &str) -> String {
    let mut text = String::new();
    for piece in html.split('<') {
        text.push_str(piece.split_once('>').map_or(piece, |(_, after)| after));
    }
    text
}

fn decoded(text: &str) -> String {
    let decode = |text: String, (entity, character): &(&str, &str)| text.replace(entity, character);
    ENTITIES.iter().fold(text.to_owned(), decode)
}

#[cfg(test)]
mod tests {
    use super::texts;

    #[test]
    fn a_page_is_parted_from_what_it_quotes() {
        let html =
            "<h1>Notices</h1>\n\n <p>by A &#60;a@b&#62;</p><pre>MIT &amp;lt;</pre>\n<b>end</b>";
        assert_eq!(texts(html), ["Notices\nby A <a@b>\nend", "MIT &lt;"]);
    }
}
