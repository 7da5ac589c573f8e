//! The table of the reasons of conditions and events. The order of the rows is that of the tables in docs/troubleshooting.md
//! and docs/api.md, and has no other meaning.

use strum::{EnumMessage, IntoStaticStr, VariantArray};

mod class;

pub use class::ReasonClass;

/// Makes the enum of a table. A row has the meaning of a reason, its name, its class, and the advice of docs/troubleshooting.md.
macro_rules! reasons {
    ($($(#[doc = $meaning:tt])+ $reason:ident: $class:ident => $advice:literal,)+) => {
        /// Why a condition has its status: one word, which is stable and part of the API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumMessage, IntoStaticStr, VariantArray)]
        pub enum Reason {
            $($(#[doc = $meaning])+ $reason,)+
        }

        impl Reason {
            /// What the reason has in common with others.
            #[must_use]
            pub fn class(self) -> ReasonClass {
                match self {
                    $(Self::$reason => ReasonClass::$class,)+
                }
            }

            /// What to do about the reason, for the documentation: the program does not contain the texts.
            #[must_use]
            pub fn advice(self) -> &'static str {
                match self {
                    $(Self::$reason => $advice,)+
                }
            }
        }
    };
}

reasons! {
    /// The operator has not looked at the resource yet.
    Pending: Waiting => "Nothing. If the reason stays, no operator serves this namespace: check the operator's pod and \
        `/readyz`.",
    /// The target holds the source's pair.
    Published: Good => "Nothing: the target holds the source's pair.",
    /// AWS STS accepted the pair, and it conforms to the pins.
    IdentityVerified: Good => "Nothing: AWS named the identity behind the pair.",
    /// The store of the class accepted the signature of the pair.
    StoreVerified: Good => "Nothing: the store knows the pair.",
    /// The pair is well-formed; AWS is not asked at level Format.
    FormatOnly: Good => "Nothing. Set `validation.level: Identity` to have AWS asked.",
    /// The target holds the last proven pair; the source holds another pair or none.
    ServingLastKnownGood: TargetBlocked => "Fix the source; the reason of Verified says what is wrong with it. Pods \
        keep using the last proven pair.",
    /// No pair was published yet.
    NotPublished: TargetBlocked => "See the reason of Ready; nothing was published yet.",
    /// `spec.suspend` is true.
    Suspended: SpecUnused => "Set `spec.suspend` to false to resume.",

    /// The class that `spec.classRef` names does not exist.
    ClassNotFound: ClassUnusable => "Create the AwsCredentialsClass, or name the right one in `spec.classRef.name`. The target \
        stays as it is.",
    /// The class does not allow resources of this namespace.
    ClassNotAllowed: ClassUnusable => "Ask an administrator to add the namespace to `allowedNamespaces` of the class, or name \
        another class. The target stays as it is.",
    /// The class cannot be used.
    ClassInvalid: ClassUnusable => "Ask an administrator to correct the field of the class that the message names. The target \
        stays as it is.",

    /// The source does not exist.
    SourceNotFound: Waiting => "Create the Secret that `spec.secretRef.name` names, in the same namespace.",
    /// The source lacks one or both of the two keys.
    SourceKeyMissing: SourceInvalid => "Add the key to the source, or name the right one in `accessKeyIdKey` or \
        `secretAccessKeyKey`.",
    /// The credentials file of the source has no profile of this name.
    ProfileNotFound: SourceInvalid => "Add the profile to the file, or name the right one in \
        `credentialsFile.profile`.",
    /// SDKs may read the profile in the credentials file of the source differently.
    CredentialsFileAmbiguous: SourceInvalid => "Write the line that the message names as `name = value`, in lower \
        case, without white space before it, and once.",
    /// The profile in the credentials file of the source gets credentials in another way.
    ProfileNotStatic: SourceInvalid => "Remove the setting that the message names from the profile, or name a profile \
        with a key pair alone.",
    /// The source is the target of a `StaticAwsCredentials`.
    SourceIsTarget: SourceInvalid => "Name the Secret that a person or pipeline fills, not the target of another \
        resource. If the source is a copy of a target, remove the label `awscredentials.dev/uid` or the owner \
        reference, which the message names, from the copy.",
    /// The source is of a type that never holds a key pair.
    SourceTypeForbidden: SourceInvalid => "Put the pair into a Secret of type Opaque.",

    /// A value is empty or only white space.
    ValueEmpty: SourceInvalid => "Store the value under the key.",
    /// A value is longer than any access key ID or secret access key.
    ValueTooLong: SourceInvalid => "Put only the value under the key, not a file around it.",
    /// A value is not UTF-8.
    NotUtf8: SourceInvalid => "Store the value as plain text in UTF-8.",
    /// A value begins with a byte order mark.
    ByteOrderMark: SourceInvalid => "Save the file without a byte order mark.",
    /// A value ends with a line break.
    TrailingNewline: SourceInvalid => "Write the value without a line break: `printf %s`, or `kubectl create secret \
        --from-env-file`.",
    /// A value holds a control character.
    ControlCharacter: SourceInvalid => "Remove the control character; copy the value again.",
    /// A value begins or ends with white space.
    SurroundingWhitespace: SourceInvalid => "Remove the white space around the value.",
    /// A value is enclosed in quotes.
    SurroundingQuotes: SourceInvalid => "Remove the quotes around the value.",
    /// A value is encoded in base64 twice.
    EncodedTwice: SourceInvalid => "Use `stringData`, or encode `data` in base64 once.",
    /// The two values are swapped, or an access key ID is in the place of the secret access key.
    ValuesSwapped: SourceInvalid => "Swap the two values.",
    /// The access key ID is not 16 to 128 upper-case letters and digits.
    AccessKeyIdMalformed: SourceInvalid => "Copy the access key ID again: 16 to 128 upper-case letters and digits. For a \
        pair of an S3-compatible store, name its class in `spec.classRef`; IDs of another form need `accessKeyIdFormat: Any` \
        in the class.",
    /// The access key ID belongs to temporary credentials.
    TemporaryCredentials: SourceInvalid => "An ID that begins with `ASIA` expires; create an access key for an IAM \
        user.",
    /// The ID identifies something other than an access key, such as a user or role.
    NotAnAccessKeyId: SourceInvalid => "The ID names a user, role or group; use the access key ID, which begins with \
        `AKIA`.",
    /// A value is an example from the AWS documentation.
    DocumentationExample: SourceInvalid => "Replace the example from the AWS documentation with a real pair.",
    /// The pair cannot be written to a credentials file that every SDK reads correctly.
    LayoutCannotCarry: SourceInvalid => "If the message names a comment or white space in the value, remove \
        that. Otherwise create another access key, or remove the layout that the message names.",

    /// The access key ID encodes another account than `spec.validation.accountId`.
    AccountMismatch: SourceInvalid => "Use a pair of the account in `validation.accountId`, or change the pin.",
    /// The access key ID encodes no account, so `accountId` cannot be checked at level Format.
    AccountUnknown: SourceInvalid => "Set `validation.level: Identity`: this access key ID does not encode an account.",
    /// The pair does not conform to a pin in `spec.validation`.
    PinMismatch: SourceInvalid => "Use a pair that the pins in `spec.validation` allow, or change the pin that the \
        message names.",
    /// The pair belongs to the root user, which `rootUser` denies.
    RootUserDenied: SourceInvalid => "Use a pair of an IAM user, or set `validation.rootUser: Allow`.",

    /// AWS does not know the new key yet, or the check with AWS waits for the end of a pause; the check is repeated.
    Settling: Waiting => "Wait a minute: AWS takes some seconds to accept a new key.",
    /// AWS does not know the access key ID.
    AccessKeyUnknown: Refused => "Check in IAM, or in the store that `--sts-endpoint` names, whether the key is \
        active, and that `spec.region` is enabled and in the key's partition.",
    /// AWS knows the access key ID, but the secret access key does not belong to it.
    SignatureMismatch: Refused => "Copy both halves of the pair again: the secret access key does not belong to the \
        access key ID. If every new pair has this reason, look for a proxy that changes requests to STS.",
    /// The endpoint in the place of STS reports that the credentials have expired.
    CredentialsExpired: Refused => "Create a new access key.",
    /// AWS rejected a published pair once; AWS is asked again before the rejection counts.
    RejectionUnconfirmed: Undetermined => "Wait a minute: a single rejection of a published pair does not count.",
    /// AWS rejects a published pair and accepts no other that it accepted before, so the rejection does not count.
    MassRejection: Undetermined => "Check STS, `--sts-endpoint` and the network: AWS rejects the pair and accepts \
        none of up to 3 other pairs that it accepted before, so the rejection does not count. If those keys were \
        deactivated too, put new pairs into the sources.",
    /// STS reports a wrong signature for a proven pair: something between the operator and STS changes requests.
    StsRequestAltered: Undetermined => "Look between the operator and STS for a proxy or gateway that rewrites the \
        Host header, other headers or the body. The pair is right: it was proven before, and IAM never changes the \
        secret of an access key.",
    /// STS is disabled for the account in the region.
    RegionDisabled: Undetermined => "Activate STS in the region, or choose another `spec.region`.",
    /// The account is not subscribed to STS in the region.
    OptInRequired: Undetermined => "Enable the region for the account, or choose another.",
    /// The endpoint in the place of STS serves another region.
    StsRegionMismatch: Undetermined => "`--sts-endpoint` (`sts.endpoint` of the chart) serves another region than \
        `spec.region`: write `{region}` in its host, or choose the region that it serves.",
    /// The clock of the operator's node is wrong.
    ClockSkew: Undetermined => "Set the clock of the operator's node.",
    /// Something between the operator and STS denies the request.
    StsAccessDenied: Undetermined => "Let `sts:GetCallerIdentity` through the VPC endpoint's policy or the proxy.",
    /// STS throttles the requests.
    StsThrottled: Undetermined => "Wait. If the reason stays, lower `--sts-rate`.",
    /// STS fails to process the request.
    StsUnavailable: Undetermined => "Wait until STS works again in that region.",
    /// STS cannot be reached.
    StsUnreachable: Undetermined => "Check DNS, egress on port 443 and TLS between the operator and STS.",
    /// The response is not one that STS gives.
    StsUnexpectedResponse: Undetermined => "Check what answers in place of STS: a proxy, a portal, a wrong \
        `--sts-endpoint`. AWS's own endpoint never returns an account that differs from the one in the access key \
        ID, and never reports an access key as expired.",

    /// The endpoint of the class accepts a random pair, so its answers prove nothing.
    EndpointAcceptsAnything: Undetermined => "Configure identities in the store, or correct `endpoint.url` of the class: \
        an endpoint that accepts every pair proves none.",
    /// The endpoint of the class gives the same answer to a right and to a wrong secret access key.
    EndpointInconclusive: Undetermined => "Let the pair list buckets (`s3:ListAllMyBuckets`), so that the store gives \
        another answer to a right pair than to a wrong one.",
    /// The endpoint of the class serves another region.
    EndpointRegionMismatch: Undetermined => "Set `region` of the class to the region of the store.",
    /// The endpoint of the class throttles the requests.
    EndpointThrottled: Undetermined => "Wait. The pair is checked again.",
    /// The endpoint of the class fails to process the request.
    EndpointUnavailable: Undetermined => "Wait until the store works again.",
    /// The endpoint of the class cannot be reached.
    EndpointUnreachable: Undetermined => "Check DNS, egress and TLS between the operator and `endpoint.url` of the class; \
        a private CA belongs into `endpoint.caBundle`.",
    /// The answer of the endpoint of the class is not one that S3 gives.
    EndpointUnexpectedResponse: Undetermined => "Check what answers at `endpoint.url` of the class: a proxy, a portal, a \
        console instead of the S3 interface.",

    /// The target was deleted because AWS rejected its pair, or the pair no longer conforms to the pins.
    Withdrawn: TargetBlocked => "Fix the source; the target is created again with a proven pair.",
    /// The target was deleted, and the source holds no proven pair to restore it from.
    TargetLost: TargetBlocked => "Fix the source; the target is created again with a proven pair.",
    /// The target was edited and the source holds no proven pair, or another writer changes the target repeatedly.
    TargetModified: TargetBlocked => "Fix the source, or find the other writer of the target in its `managedFields`.",
    /// The Secret of the target's name does not belong to this resource, or another resource has the same target.
    TargetConflict: TargetBlocked => "Choose another `target.name`, delete the other Secret, or allow its adoption \
        with the adopt-by annotation.",
    /// A Secret names this resource in its adopt-by annotation, but cannot be adopted.
    AdoptionRefused: TargetBlocked => "Remove what the message names from the Secret, or delete it.",
    /// A Secret of the target's name is being deleted or garbage collected.
    TargetTerminating: TargetBlocked => "Wait, or remove the finalizer that holds the old Secret.",
    /// The target is immutable.
    TargetImmutable: TargetBlocked => "Delete the target; it is created again.",
    /// The type of the target is not Opaque.
    TargetTypeMismatch: TargetBlocked => "Delete the target; it is created again as Opaque.",
    /// The API server rejects the write of the target.
    TargetWriteRefused: TargetBlocked => "Read the message: a quota, an admission policy, or missing rights.",
    /// In events: a former target could not be deleted, or the owner reference of a retained Secret could not be
    /// removed.
    LeftoverRemains: TargetBlocked => "Find out what prevents the deletion or release of the Secret that the message \
        names, or delete the Secret yourself.",
    /// The operator writes nothing, since it could not confirm that a required admission policy is enforced.
    PoliciesMissing: TargetBlocked => "Apply the admission policies of the chart again, or set `policies.require` to \
        `false`.",

    /// Another resource still publishes the superseded pair.
    PreviousKeyPublished: PreviousKeyHeld => "Write the new pair into the sources of the resources that the message \
        names: they still publish the superseded one.",
    /// Pods hold the superseded pair until they are restarted.
    ConsumersHoldPreviousKey: PreviousKeyHeld => "Restart the pods that the message names, or that the resources in it \
        name, no earlier than `rotation.kubeletSyncPeriod` (90 s) after the rotation; they read the pair only \
        when they start.",
    /// Pods that are not ready or not checked yet may hold the superseded pair, or another resource may have it.
    ConsumersUnknown: PreviousKeyHeld => "Find out why the pods that the message names, or those of the resources in \
        it, are not ready or were not checked.",
    /// Pods may hold the superseded pair until they have read the new one.
    ConsumersPickingUp: RotationProgressing => "Wait until the time in the message.",
    /// The operator lacks the right to list the pods that may hold the superseded pair.
    ConsumersNotListed: PreviousKeyHeld => "Let the operator list pods: `rotation.consumers.enabled` in the chart.",
    /// No pod that uses a tracked name of the target holds the superseded pair, but there were more names or keys.
    ConsumersNotTraced: PreviousKeyHeld => "The target had more names, or the resource more keys, than the operator \
        tracks: look for pods that use an older one, check in IAM that the superseded key has not been used since, and \
        deactivate it.",
    /// No pod of a resource that had the superseded pair holds it any more; the message lists what was not checked.
    PreviousKeyUnused: Good => "Check what the message lists as not checked, such as other clusters. Check in IAM that \
        the superseded key has not been used since, deactivate it, and delete it later.",

    /// Restarts begin when every pod that starts gets the new pair and the resource is Ready.
    RestartsPending: RotationProgressing => "Nothing: workloads are restarted when the kubelets have delivered the \
        pair, 90 s after a rotation by default, while the resource is Ready.",
    /// Workloads are being restarted.
    RestartsProgressing: RotationProgressing => "Nothing: the workloads in the message are being restarted; the next \
        ones follow when they are healthy.",
    /// Restarts are blocked: a restarted workload is not healthy, a workload is missing or cannot be restarted, or
    /// pods from before the pair still run.
    RestartsHeld: RestartsBlocked => "The workload in the message was restarted and is not healthy, or is missing, or \
        pods from before the pair still run: fix the workload, or restart it yourself if the operator cannot.",
    /// The operator lacks the right to restart workloads or to list their pods.
    RestartsNotAllowed: RestartsBlocked => "Restart the workloads yourself, or let the operator do it: \
        `rotation.restart.enabled` in the chart.",
    /// All workloads were restarted and became healthy.
    ConsumersRestarted: Good => "Nothing: all workloads were restarted and are healthy.",

    /// A field of the spec has a value that the schema of this version rejects.
    SpecInvalid: SpecUnused => "Apply the current CRD; its schema would have rejected this spec.",
    /// The resource could not be decoded.
    Undecodable: SpecUnused => "Apply the current CRD, then fix or recreate the resource.",
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
}
