//! Rights, as the API server evaluates them.

use anyhow::{Context as _, Result, ensure};
use cluster::control_plane::ControlPlane;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::{Api, api::PostParams};

/// A right of a user, and whether it should be granted.
#[derive(Clone, Debug)]
pub struct Question {
    attributes: ResourceAttributes,
    expected: bool,
}

impl Question {
    /// A right from a verb and a resource with group and subresource: `patch leases.coordination.k8s.io`.
    pub fn new(asked: &str, namespace: &str, expected: bool) -> Self {
        let (verb, what) = asked.split_once(' ').unwrap_or((asked, ""));
        let (what, subresource) = what.split_once('/').unwrap_or((what, ""));
        let (resource, group) = what.split_once('.').unwrap_or((what, ""));
        let attributes = ResourceAttributes {
            verb: Some(verb.to_owned()),
            group: Some(group.to_owned()),
            resource: Some(resource.to_owned()),
            subresource: Some(subresource.to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ResourceAttributes::default()
        };
        Self {
            attributes,
            expected,
        }
    }

    /// The same right on one object.
    pub fn named(mut self, name: &str) -> Self {
        self.attributes.name = Some(name.to_owned());
        self
    }
}

/// Checks all rights, and fails on the first unexpected answer.
pub async fn check(cluster: &ControlPlane, user: &str, questions: &[Question]) -> Result<()> {
    for question in questions {
        let answer = allowed(cluster, user, question).await?;
        ensure!(
            answer == question.expected,
            "{user} {} {:?}",
            if answer { "may" } else { "may not" },
            question.attributes
        );
    }
    Ok(())
}

/// The answer of the API server.
pub async fn allowed(cluster: &ControlPlane, user: &str, question: &Question) -> Result<bool> {
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(user.to_owned()),
            resource_attributes: Some(question.attributes.clone()),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let reviews: Api<SubjectAccessReview> = Api::all(cluster.client());
    let answer = reviews.create(&PostParams::default(), &review).await?;
    Ok(answer.status.context("no answer")?.allowed)
}
