//! Pairs that are refused for their bytes, each with its reason, by hand. The unit tests of the checks and the live
//! operator are held to the same rows.

pub const ID: &str = "AWS_ACCESS_KEY_ID";
pub const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
pub const GOOD_ID: &[u8] = b"AKIARZPUZDIKQUAIL2D6";
pub const GOOD_SECRET: &[u8] = b"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";

/// Access key ID, secret access key, the reason, and the key or layout that the message names.
pub type Malformed = (&'static [u8], &'static [u8], &'static str, &'static str);

pub const MALFORMED: &[Malformed] = &[
    (b"", GOOD_SECRET, "ValueEmpty", ID),
    (GOOD_ID, b"", "ValueEmpty", SECRET),
    (GOOD_ID, b"             ", "ValueEmpty", SECRET),
    (b"AKIARZPUZDIKQUA\xC3\x28L2", GOOD_SECRET, "NotUtf8", ID),
    (
        GOOD_ID,
        b"wSecretWithAByteThatIsNoUtf8\xFF/LikeThis1",
        "NotUtf8",
        SECRET,
    ),
    (
        b"\xEF\xBB\xBFAKIARZPUZDIKQUAIL2D6",
        GOOD_SECRET,
        "ByteOrderMark",
        ID,
    ),
    (
        GOOD_ID,
        b"\xFF\xFEw\0S\0e\0c\0r\0e\0t\0I\0n\0U\0t\0f\x001\x006\0",
        "ByteOrderMark",
        SECRET,
    ),
    (
        b"AKIARZPUZDIKQUAIL2D6\n",
        GOOD_SECRET,
        "TrailingNewline",
        ID,
    ),
    (
        GOOD_ID,
        b"wSecretOfThePairThatIsWellFormed/Always1\r\n",
        "TrailingNewline",
        SECRET,
    ),
    (
        b" AKIARZPUZDIKQUAIL2D6",
        GOOD_SECRET,
        "SurroundingWhitespace",
        ID,
    ),
    (
        GOOD_ID,
        b"wSecretOfThePairThatIsWellFormed/Always1\t",
        "SurroundingWhitespace",
        SECRET,
    ),
    (
        GOOD_ID,
        "wSecretOfThePairThatIsWellFormed/Always1\u{a0}".as_bytes(),
        "SurroundingWhitespace",
        SECRET,
    ),
    (
        b"AKIARZPUZD\0IKQUAIL2D6",
        GOOD_SECRET,
        "ControlCharacter",
        ID,
    ),
    (
        GOOD_ID,
        b"wSecretOfThePair\x1b[31mThatIsWellFormed",
        "ControlCharacter",
        SECRET,
    ),
    (
        GOOD_ID,
        b"wSecretOfThePair\r\nAuthorization: Bearer of-mine",
        "ControlCharacter",
        SECRET,
    ),
    (
        b"AKIARZPUZDIKQUAIL2D6\nAuthorization: none",
        GOOD_SECRET,
        "ControlCharacter",
        ID,
    ),
    (
        b"\"AKIARZPUZDIKQUAIL2D6\"",
        GOOD_SECRET,
        "SurroundingQuotes",
        ID,
    ),
    (
        GOOD_ID,
        b"'wSecretOfThePairThatIsWellFormed/Always1'",
        "SurroundingQuotes",
        SECRET,
    ),
    (
        b"akiarzpuzdikquail2d6",
        GOOD_SECRET,
        "AccessKeyIdMalformed",
        ID,
    ),
    (b"AKIARZPUZD", GOOD_SECRET, "AccessKeyIdMalformed", ID),
    (
        "AKIARZPUZDIKQUÄIL2D6".as_bytes(),
        GOOD_SECRET,
        "AccessKeyIdMalformed",
        ID,
    ),
    (
        b"AKIARZPUZDIKQUAIL2D6, AKIARZPUZDIKQUAIL2D7",
        GOOD_SECRET,
        "AccessKeyIdMalformed",
        ID,
    ),
    (
        b"AWS_ACCESS_KEY_ID=AKIARZPUZDIKQUAIL2D6",
        GOOD_SECRET,
        "AccessKeyIdMalformed",
        ID,
    ),
    (
        b"ASIARZPUZDIKQUAIL2D6",
        GOOD_SECRET,
        "TemporaryCredentials",
        ID,
    ),
    (b"AIDARZPUZDIKQUAIL2D6", GOOD_SECRET, "NotAnAccessKeyId", ID),
    (b"AROARZPUZDIKQUAIL2D6", GOOD_SECRET, "NotAnAccessKeyId", ID),
    (b"AGPARZPUZDIKQUAIL2D6", GOOD_SECRET, "NotAnAccessKeyId", ID),
    (GOOD_SECRET, GOOD_ID, "ValuesSwapped", ID),
    (GOOD_ID, b"AKIARZPUZDIKQUAIL2D7", "ValuesSwapped", SECRET),
    (
        b"QUtJQVJaUFVaRElLUVVBSUwyRDY=",
        GOOD_SECRET,
        "EncodedTwice",
        ID,
    ),
    (
        GOOD_ID,
        b"d1NlY3JldE9mVGhlUGFpclRoYXRJc1dlbGxGb3JtZWQvQWx3YXlzMQ==",
        "EncodedTwice",
        SECRET,
    ),
    (
        b"AKIAIOSFODNN7EXAMPLE",
        GOOD_SECRET,
        "DocumentationExample",
        ID,
    ),
    (
        GOOD_ID,
        b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "DocumentationExample",
        SECRET,
    ),
    (
        GOOD_ID,
        b"#SecretThatBeginsLikeAComment/InAnIniFile",
        "LayoutCannotCarry",
        "SharedCredentialsFile",
    ),
    (
        GOOD_ID,
        b"wSecretWithWhatBegins #AComment/InSomeOne",
        "LayoutCannotCarry",
        "SharedCredentialsFile",
    ),
];
