//! The pin on an ARN: which users, or the root user, a pair may belong to.

use crate::domain::account::is_account_id;

/// The most characters that AWS allows in an ARN.
const MAX_LENGTH: usize = 2048;

/// A pattern for the ARN of an IAM user or a root user, in which `*` stands for any characters but
/// `:`, so that it cannot reach from one part of an ARN into the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArnPattern {
    partition: String,
    account: String,
    resource: String,
}

impl ArnPattern {
    /// Takes a text for a pin.
    ///
    /// # Errors
    ///
    /// A sentence about what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_LENGTH {
            return Err(format!("arn must have at most {MAX_LENGTH} characters"));
        }
        let parts: Vec<_> = text.splitn(6, ':').collect();
        let &["arn", partition, "iam", "", account, resource] = parts.as_slice() else {
            return Err(EXPECTED_FORM.to_owned());
        };
        if !is_partition(partition) || !is_account(account) || !is_resource(resource) {
            return Err(EXPECTED_FORM.to_owned());
        }
        Ok(Self {
            partition: partition.to_owned(),
            account: account.to_owned(),
            resource: resource.to_owned(),
        })
    }

    /// Whether the ARN, as STS names it, conforms to the pin. Takes time linear in its length
    /// for every pin.
    #[must_use]
    pub fn matches(&self, arn: &str) -> bool {
        let mut parts = arn.splitn(6, ':');
        let mut next = || parts.next().unwrap_or_default();
        next() == "arn"
            && next() == self.partition
            && next() == "iam"
            && next().is_empty()
            && matches(&self.account, next())
            && matches(&self.resource, next())
    }

    /// The account, unless the pin leaves it open.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        (self.account != "*").then_some(self.account.as_str())
    }

    /// The name of the partition.
    #[must_use]
    pub fn partition(&self) -> &str {
        &self.partition
    }
}

const EXPECTED_FORM: &str = "arn must be the ARN of an IAM user or root user, such as \
                    arn:aws:iam::123456789012:user/connectors/*";

/// As the schema has it, which must not know fewer partitions than AWS.
fn is_partition(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    let mut words = text.split('-');
    words.next() == Some("aws") && words.all(is_word)
}

fn is_account(text: &str) -> bool {
    text == "*" || is_account_id(text)
}

/// IAM takes any visible sign into the path of a user, and few into the name.
fn is_resource(text: &str) -> bool {
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_*-".contains(&byte);
    let is_user = |user: &str| {
        let (path, name) = user
            .rsplit_once('/')
            .map_or(("", user), |(path, name)| (path, name));
        let visible = path.bytes().all(|byte| byte.is_ascii_graphic());
        !user.is_empty() && visible && name.bytes().all(in_name)
    };
    text == "root" || text.strip_prefix("user/").is_some_and(is_user)
}

/// Each piece between two `*` may be found where it first occurs: a later place would leave the
/// pieces after it less room, so that nothing is ever tried twice.
fn matches(pattern: &str, text: &str) -> bool {
    // What stands for no `:` itself has none where the text has no more than the pattern.
    let colons = |text: &str| text.bytes().filter(|byte| *byte == b':').count();
    if colons(text) != colons(pattern) {
        return false;
    }
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    let between = text
        .strip_prefix(head)
        .and_then(|rest| rest.strip_suffix(tail));
    let Some(mut unmatched) = between else {
        return false;
    };
    for piece in middle.split('*') {
        match unmatched.split_once(piece) {
            Some((_, after)) => unmatched = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests;
