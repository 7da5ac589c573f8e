//! Every reason that a condition or an event carries. README.md says of each what to do.

use strum::{IntoStaticStr, VariantArray};

/// Why a condition has its status: one word, stable, part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, VariantArray)]
pub enum Reason {
    /// The operator has not looked at the resource yet.
    Pending,
    /// The target holds the source's pair.
    Published,
    /// AWS STS accepted the pair, and it conforms to the pins.
    IdentityVerified,
    /// The pair has the form of a key pair; nobody was asked.
    FormatOnly,
    /// The target holds the last pair that was proven, and the source holds another or none.
    ServingLastKnownGood,
    /// Nothing was published yet.
    NotPublished,
    /// `spec.suspend` is true.
    Suspended,

    /// The source does not exist.
    SourceNotFound,
    /// The source lacks one of the two keys.
    SourceKeyMissing,
    /// The source is the target of a `StaticAwsCredentials`.
    SourceIsTarget,
    /// The source is of a type that never holds a key pair.
    SourceTypeForbidden,

    /// A value is empty.
    ValueEmpty,
    /// A value is longer than any key.
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
    /// A value stands in quotes.
    SurroundingQuotes,
    /// A value is encoded in base64 once more than the Secret does.
    EncodedTwice,
    /// The two values stand in each other's place.
    ValuesSwapped,
    /// The access key ID is not 16 to 128 upper-case letters and digits.
    AccessKeyIdMalformed,
    /// The access key ID belongs to temporary credentials.
    TemporaryCredentials,
    /// The access key ID identifies something that is no access key.
    NotAnAccessKeyId,
    /// The pair is an example from the AWS documentation.
    DocumentationExample,
    /// The secret access key cannot be written to the credentials file for every SDK.
    LayoutCannotCarry,

    /// The access key ID encodes another account than `spec.validation.accountId`.
    AccountMismatch,
    /// The access key ID does not encode an account, so the pin cannot be checked at level Format.
    AccountUnknown,
    /// The pair does not conform to `accountId`, `arn` or `rootUser`.
    PinMismatch,
    /// The pair belongs to the root user.
    RootUserDenied,

    /// AWS does not know the key yet; it is asked again.
    Settling,
    /// AWS does not know the access key ID.
    AccessKeyUnknown,
    /// AWS knows the access key ID, and the secret access key is not its own.
    SignatureMismatch,
    /// AWS says that the credentials have expired.
    CredentialsExpired,
    /// AWS refused a published pair once; it is asked again before that counts.
    RejectionUnconfirmed,
    /// A published pair is refused, and so are others that were accepted before, so the refusal is not believed.
    MassRejection,
    /// STS calls the signature wrong for a pair that was proven: something on the way changes requests.
    StsRequestAltered,
    /// STS is switched off in the region.
    RegionDisabled,
    /// The account is not subscribed to the service in the region.
    OptInRequired,
    /// The endpoint in the place of STS serves another region.
    StsRegionMismatch,
    /// The clock of the operator's node is wrong.
    ClockSkew,
    /// Something between the operator and STS refuses the request.
    StsAccessDenied,
    /// STS asks to slow down.
    StsThrottled,
    /// STS fails.
    StsUnavailable,
    /// STS cannot be reached.
    StsUnreachable,
    /// What answered is not STS.
    StsUnexpectedResponse,

    /// The target was deleted since AWS rejected its pair or the pins no longer hold.
    Withdrawn,
    /// The target is gone, and there is nothing proven to restore it from.
    TargetLost,
    /// The target was edited, and there is nothing proven to restore it from.
    TargetModified,
    /// A Secret of the target's name belongs to somebody else.
    TargetConflict,
    /// A Secret names this resource in its adopt-by annotation and cannot be taken over.
    AdoptionRefused,
    /// A Secret of the target's name is being deleted.
    TargetTerminating,
    /// The target is immutable.
    TargetImmutable,
    /// The target has another type than Opaque.
    TargetTypeMismatch,
    /// The API server refuses to write the target.
    TargetWriteRefused,
    /// Of an event: a Secret that is not the target any more could not be deleted, or not released from its owner.
    LeftoverRemains,
    /// The operator writes nothing, since an admission policy that it requires is not seen to be enforced.
    PoliciesMissing,

    /// Another resource still publishes the superseded pair.
    PreviousKeyPublished,
    /// Pods hold the superseded pair until they are restarted.
    ConsumersHoldPreviousKey,
    /// Pods that are not ready, or that were not looked at yet, may hold the superseded pair.
    ConsumersUnknown,
    /// Pods may hold the superseded pair until they have read its successor.
    ConsumersPickingUp,
    /// The operator may not list the pods that may hold the superseded pair.
    ConsumersNotListed,
    /// No pod that uses the target under a name that is known holds the superseded pair, and there were more names or keys.
    ConsumersNotTraced,
    /// No pod of any resource with the superseded pair holds it any more; the message names what was not looked at.
    PreviousKeyUnused,

    /// Workloads are restarted once pods that start get the new pair for sure, and the resource is Ready.
    RestartsPending,
    /// Workloads are being restarted.
    RestartsProgressing,
    /// Restarts do not come to an end: a workload that was restarted is not healthy, one is missing, or pods from
    /// before the pair still run.
    RestartsHeld,
    /// The operator may not restart workloads.
    RestartsNotAllowed,
    /// All workloads were restarted, and are healthy.
    ConsumersRestarted,

    /// A field of the spec holds what the schema would have refused.
    SpecInvalid,
    /// The resource could not be decoded.
    Undecodable,
}

impl Reason {
    /// The reason as it stands in a condition.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The reason that a condition carries, if it is one of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::VARIANTS
            .iter()
            .copied()
            .find(|reason| reason.as_str() == text)
    }

    /// Whether the source's pair is refused for good: only another source or spec, or AWS asked
    /// again after an interval, can change it.
    #[must_use]
    pub fn is_terminal_for_source(self) -> bool {
        (Self::SourceKeyMissing..=Self::RootUserDenied).contains(&self) || self.is_refusal()
    }

    /// Whether AWS refused the pair. AWS is asked again by itself, since keys are activated and what
    /// stands between the operator and STS is mended.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::AccessKeyUnknown | Self::SignatureMismatch | Self::CredentialsExpired
        )
    }

    /// Whether the spec had no effect, though the status speaks of it.
    #[must_use]
    pub fn disregards_spec(self) -> bool {
        matches!(
            self,
            Self::Suspended | Self::SpecInvalid | Self::Undecodable
        )
    }

    /// Whether AWS was asked and nothing can be said.
    #[must_use]
    pub fn is_undetermined(self) -> bool {
        (Self::RejectionUnconfirmed..=Self::StsUnexpectedResponse).contains(&self)
    }
}
