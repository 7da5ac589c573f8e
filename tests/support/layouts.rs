//! What each layout writes, to the byte, by hand: the expectation of the rendering, of the schema and of its rules.

pub const ID: &str = "AKIAQRSTUVWX23456723";
pub const SECRET: &str = "abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKL+";
pub const REGION: &str = "eu-west-1";
pub const TTL: u32 = 1234;

/// Keys of a target, each with its content.
pub type Entries = &'static [(&'static str, &'static str)];

/// The target of one layout, for the pair, the region and the TTL above.
pub struct Written {
    pub layout: &'static str,
    pub always: Entries,
    /// What a region adds or replaces.
    pub with_region: Entries,
}

/// Every layout, in the order of the documentation.
pub const LAYOUTS: &[Written] = &[
    Written {
        layout: "Env",
        always: &[("AWS_ACCESS_KEY_ID", ID), ("AWS_SECRET_ACCESS_KEY", SECRET)],
        with_region: &[("AWS_REGION", REGION), ("AWS_DEFAULT_REGION", REGION)],
    },
    Written {
        layout: "SharedCredentialsFile",
        always: &[("credentials", CREDENTIALS)],
        with_region: &[("config", "[default]\nregion = eu-west-1\n")],
    },
    Written {
        layout: "ProcessJson",
        always: &[("credentials.json", JSON)],
        with_region: &[],
    },
    Written {
        layout: "CredentialProcess",
        always: &[
            ("credentials.json", JSON),
            ("config-process", WITHOUT_REGION),
        ],
        with_region: &[("config-process", WITH_REGION)],
    },
    Written {
        layout: "ServiceBinding",
        always: &[
            ("type", "aws"),
            ("provider", "aws"),
            ("access-key-id", ID),
            ("secret-access-key", SECRET),
        ],
        with_region: &[("region", REGION)],
    },
    Written {
        layout: "Mendix",
        always: &[
            ("mx-const-AWSAuthentication.AccessKey", ID),
            ("mx-const-AWSAuthentication.SecretAccessKey", SECRET),
        ],
        with_region: &[],
    },
    Written {
        layout: "MendixStorage",
        always: &[
            ("storage-access-key-id", ID),
            ("storage-secret-access-key", SECRET),
        ],
        with_region: &[],
    },
    Written {
        layout: "CloudCredential",
        always: &[
            ("aws_access_key_id", ID),
            ("aws_secret_access_key", SECRET),
            ("credentials", CREDENTIALS),
        ],
        with_region: &[],
    },
];

const CREDENTIALS: &str = "[default]\naws_access_key_id = AKIAQRSTUVWX23456723\n\
                       aws_secret_access_key = abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKL+\n";
const JSON: &str = "{\"Version\":1,\"AccessKeyId\":\"AKIAQRSTUVWX23456723\",\
                \"SecretAccessKey\":\"abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKL+\"}";

const WITHOUT_REGION: &str = "[default]\n\
                          credential_process = /var/run/awscredentials.dev/credential-process \
                          --file /var/run/secrets/awscredentials.dev/credentials.json --ttl 1234\n";
const WITH_REGION: &str = "[default]\nregion = eu-west-1\n\
                       credential_process = /var/run/awscredentials.dev/credential-process \
                       --file /var/run/secrets/awscredentials.dev/credentials.json --ttl 1234\n";

impl Written {
    /// The keys with a region, each once.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        let is_added = |key: &str| self.always.iter().all(|(other, _)| *other != key);
        let added = self
            .with_region
            .iter()
            .filter(move |(key, _)| is_added(key));
        self.always.iter().chain(added).map(|(key, _)| *key)
    }
}
