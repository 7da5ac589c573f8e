//! The reasons of conditions and events. README.md lists what to do about each.

use strum::{IntoStaticStr, VariantArray};

/// Why a condition has its status: one word, which is stable and part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, VariantArray)]
pub enum Reason {
    /// The operator has not looked at the resource yet.
    Pending,
    /// The target holds the source's pair.
    Published,
    /// AWS STS accepted the pair, and it conforms to the pins.
    IdentityVerified,
    /// The pair is well-formed; AWS is not asked at level Format.
    FormatOnly,
    /// The target holds the last proven pair; the source holds another pair or none.
    ServingLastKnownGood,
    /// No pair was published yet.
    NotPublished,
    /// `spec.suspend` is true.
    Suspended,

    /// The source does not exist.
    SourceNotFound,
    /// The source lacks one or both of the two keys.
    SourceKeyMissing,
    /// The source is the target of a `StaticAwsCredentials`.
    SourceIsTarget,
    /// The source is of a type that never holds a key pair.
    SourceTypeForbidden,

    /// A value is empty or only white space.
    ValueEmpty,
    /// A value is longer than any access key ID or secret access key.
    ValueTooLong,
    /// A value is not UTF-8.
    NotUtf8,
    /// A value begins with a byte order mark.
    ByteOrderMark,
    /// A value ends with a line break.
    TrailingNewline,
    /// A value holds a control character.
    ControlCharacter,
    /// A value begins or ends with white space.
    SurroundingWhitespace,
    /// A value is enclosed in quotes.
    SurroundingQuotes,
    /// A value is encoded in base64 twice.
    EncodedTwice,
    /// The two values are swapped, or an access key ID is in the place of the secret access key.
    ValuesSwapped,
    /// The access key ID is not 16 to 128 upper-case letters and digits.
    AccessKeyIdMalformed,
    /// The access key ID belongs to temporary credentials.
    TemporaryCredentials,
    /// The ID identifies something other than an access key, such as a user or role.
    NotAnAccessKeyId,
    /// A value is an example from the AWS documentation.
    DocumentationExample,
    /// The pair cannot be written to a credentials file that every SDK reads correctly.
    LayoutCannotCarry,

    /// The access key ID encodes another account than `spec.validation.accountId`.
    AccountMismatch,
    /// The access key ID encodes no account, so `accountId` cannot be checked at level Format.
    AccountUnknown,
    /// The pair does not conform to `accountId` or `arn`.
    PinMismatch,
    /// The pair belongs to the root user, which `rootUser` denies.
    RootUserDenied,

    /// AWS does not know the new key yet, or is only asked after a pause; the check is repeated.
    Settling,
    /// AWS does not know the access key ID.
    AccessKeyUnknown,
    /// AWS knows the access key ID, but the secret access key does not belong to it.
    SignatureMismatch,
    /// The endpoint in the place of STS reports that the credentials have expired.
    CredentialsExpired,
    /// AWS rejected a published pair once; AWS is asked again before the rejection counts.
    RejectionUnconfirmed,
    /// AWS rejects a published pair and accepts no other that it accepted before, so the rejection does not count.
    MassRejection,
    /// STS reports a wrong signature for a proven pair: something between the operator and STS changes requests.
    StsRequestAltered,
    /// STS is disabled for the account in the region.
    RegionDisabled,
    /// The account is not subscribed to STS in the region.
    OptInRequired,
    /// The endpoint in the place of STS serves another region.
    StsRegionMismatch,
    /// The clock of the operator's node is wrong.
    ClockSkew,
    /// Something between the operator and STS denies the request.
    StsAccessDenied,
    /// STS throttles the requests.
    StsThrottled,
    /// STS fails to process the request.
    StsUnavailable,
    /// STS cannot be reached.
    StsUnreachable,
    /// The response is not one that STS gives.
    StsUnexpectedResponse,

    /// The target was deleted because AWS rejected its pair, or the pair no longer conforms to the pins.
    Withdrawn,
    /// The target was deleted, and the source holds no proven pair to restore it from.
    TargetLost,
    /// The target was edited and the source holds no proven pair, or another writer changes the target repeatedly.
    TargetModified,
    /// The Secret of the target's name does not belong to this resource, or another resource has the same target.
    TargetConflict,
    /// A Secret names this resource in its adopt-by annotation, but cannot be adopted.
    AdoptionRefused,
    /// A Secret of the target's name is being deleted or garbage collected.
    TargetTerminating,
    /// The target is immutable.
    TargetImmutable,
    /// The type of the target is not Opaque.
    TargetTypeMismatch,
    /// The API server rejects the write of the target.
    TargetWriteRefused,
    /// In events: a former target could not be deleted, or the owner reference of a retained Secret not removed.
    LeftoverRemains,
    /// The operator writes nothing, since it could not confirm that a required admission policy is enforced.
    PoliciesMissing,

    /// Another resource still publishes the superseded pair.
    PreviousKeyPublished,
    /// Pods hold the superseded pair until they are restarted.
    ConsumersHoldPreviousKey,
    /// Pods that are not ready or not checked yet may hold the superseded pair, or another resource may have it.
    ConsumersUnknown,
    /// Pods may hold the superseded pair until they have read the new one.
    ConsumersPickingUp,
    /// The operator lacks the right to list the pods that may hold the superseded pair.
    ConsumersNotListed,
    /// No pod that uses a tracked name of the target holds the superseded pair, but there were more names or keys.
    ConsumersNotTraced,
    /// No pod of any resource with the superseded pair holds it any more; the message lists what was not checked.
    PreviousKeyUnused,

    /// Restarts begin once every pod that starts gets the new pair and the resource is Ready.
    RestartsPending,
    /// Workloads are being restarted.
    RestartsProgressing,
    /// Restarts are blocked: a restarted workload is not healthy, a workload is missing or cannot be restarted, or
    /// pods from before the pair still run.
    RestartsHeld,
    /// The operator lacks the right to restart workloads or to list their pods.
    RestartsNotAllowed,
    /// All workloads were restarted and became healthy.
    ConsumersRestarted,

    /// A field of the spec has a value that the schema of this version rejects.
    SpecInvalid,
    /// The resource could not be decoded.
    Undecodable,
}

impl Reason {
    /// The reason as written in a condition.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Parses the reason of a condition; `None` if it is not one of these.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::VARIANTS
            .iter()
            .copied()
            .find(|reason| reason.as_str() == text)
    }

    /// Whether the source's pair stays rejected until the source or the spec changes, or AWS accepts the pair
    /// at a later check.
    #[must_use]
    pub fn is_terminal_for_source(self) -> bool {
        (Self::SourceKeyMissing..=Self::RootUserDenied).contains(&self) || self.is_refusal()
    }

    /// Whether AWS rejected the pair. The check is repeated, since a key may be activated, or a fault between
    /// the operator and STS repaired.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::AccessKeyUnknown | Self::SignatureMismatch | Self::CredentialsExpired
        )
    }

    /// Whether the spec had no effect although `observedGeneration` covers it.
    #[must_use]
    pub fn disregards_spec(self) -> bool {
        matches!(
            self,
            Self::Suspended | Self::SpecInvalid | Self::Undecodable
        )
    }

    /// Whether AWS was asked and gave no conclusive answer.
    #[must_use]
    pub fn is_undetermined(self) -> bool {
        (Self::RejectionUnconfirmed..=Self::StsUnexpectedResponse).contains(&self)
    }
}
