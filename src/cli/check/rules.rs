//! The rules by which a Secret is judged: those of a resource, those of the flags, or both.

use kube::ResourceExt;

use super::class;
use crate::{
    api::{self, ClassRef, StaticAwsCredentials, StaticAwsCredentialsSpec, ValidationLevel},
    cli::args::check::{CheckArgs, RootUser},
    domain::resource::ValidatedCredentials,
    runtime::watched_class::WatchedClass,
};

/// The rules, parsed.
pub struct Rules {
    /// An existing resource, or a made-up one that holds only the flags.
    pub resource: ValidatedCredentials,
    /// The name of the existing resource.
    pub of_resource: Option<String>,
    /// The name of the class, which the caller resolves.
    pub class: Option<String>,
    /// Rules that could not be checked.
    pub notes: Vec<String>,
}

impl Rules {
    /// The rules of a resource, or of one with the API's defaults that names this Secret; flags override either.
    ///
    /// # Errors
    /// The spec violates the schema, or has no region though AWS is to be asked.
    pub fn new(
        args: &CheckArgs,
        object: Option<StaticAwsCredentials>,
        secret: &str,
    ) -> Result<Self, String> {
        let of_resource = object.as_ref().map(ResourceExt::name_any);
        let mut object = object.unwrap_or_else(|| {
            StaticAwsCredentials::new(secret, StaticAwsCredentialsSpec::of_source(secret))
        });
        let asks_aws = object.spec.validation.level == ValidationLevel::Identity;
        overlay(args, &mut object.spec);
        let mut notes = Vec::new();
        let spec = &object.spec;
        if spec.validation.level == ValidationLevel::Identity
            && spec.region.is_none()
            && spec.class_ref.is_none()
        {
            let problem = "--region is needed to ask AWS STS; name any region that the account has \
                           enabled, or use --offline to check only the bytes";
            return Err(problem.to_owned());
        }
        if spec.validation.level == ValidationLevel::Format && spec.validation.arn.is_some() {
            notes.push("spec.validation.arn was not checked: only STS knows the ARN".to_owned());
        }
        let mut resource =
            ValidatedCredentials::parse(&object).map_err(|finding| finding.message)?;
        // When the resource is applied, the operator verifies the pair with AWS.
        resource.checks.any_store &= !asks_aws;
        Ok(Self {
            resource,
            of_resource,
            class: object.spec.class_ref.map(|class| class.name),
            notes,
        })
    }

    /// Resolves the class that the rules name.
    pub fn resolve(&mut self, name: &str, class: Option<&WatchedClass>) {
        let namespace = self.resource.key.namespace.to_string();
        self.resource.class = Some(class::resolve(class, name, &namespace));
        let note = class.and_then(|class| class::note(class, &namespace));
        self.notes.extend(note);
    }
}

fn overlay(args: &CheckArgs, spec: &mut StaticAwsCredentialsSpec) {
    let source = &mut spec.secret_ref;
    if args.access_key_id_key.is_some() || args.secret_access_key_key.is_some() {
        source.credentials_file = None;
    }
    let names = [
        (&args.access_key_id_key, &mut source.access_key_id_key),
        (
            &args.secret_access_key_key,
            &mut source.secret_access_key_key,
        ),
    ];
    for (flag, field) in names {
        if let Some(name) = flag {
            field.clone_from(name);
        }
    }
    let validation = &mut spec.validation;
    let options = [
        (&args.region, &mut spec.region),
        (&args.account_id, &mut validation.account_id),
        (&args.arn, &mut validation.arn),
    ];
    for (flag, field) in options {
        if flag.is_some() {
            field.clone_from(flag);
        }
    }
    if let Some(name) = &args.class {
        spec.class_ref = Some(ClassRef { name: name.clone() });
    }
    match args.root_user {
        Some(RootUser::Allow) => validation.root_user = api::RootUser::Allow,
        Some(RootUser::Deny) => validation.root_user = api::RootUser::Deny,
        None => {}
    }
    if args.offline {
        validation.level = ValidationLevel::Format;
    }
}
