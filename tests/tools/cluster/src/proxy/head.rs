//! A request to the API server in Kubernetes' terms.

use hyper::http::request::Parts;

/// What is done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Read one object, or a path that is no resource.
    Get,
    /// Read a collection.
    List,
    /// Follow changes.
    Watch,
    /// Make an object, or post to a subresource.
    Create,
    /// Replace an object.
    Update,
    /// Change an object.
    Patch,
    /// Remove an object.
    Delete,
    /// Remove a collection.
    DeleteCollection,
}

impl Verb {
    /// Whether the verb changes objects.
    #[must_use]
    pub fn writes(self) -> bool {
        !matches!(self, Self::Get | Self::List | Self::Watch)
    }
}

/// All that is known of a request before it is sent on.
#[derive(Clone, Debug)]
pub struct RequestHead {
    /// The HTTP method.
    pub method: String,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query without its question mark, empty if there is none.
    pub query: String,
    /// The verb as RBAC sees it.
    pub verb: Verb,
    /// Whether only metadata was requested.
    pub metadata_only: bool,
    /// The API group, empty for core.
    pub group: String,
    /// The plural of the resource, empty for paths such as `/version` and discovery.
    pub resource: String,
    /// `status`, `token` and the like.
    pub subresource: Option<String>,
    /// The namespace of the object or collection.
    pub namespace: Option<String>,
    /// The object's name; absent for collections and creates.
    pub name: Option<String>,
}

impl RequestHead {
    /// Whether the request is a dry run, which stores nothing.
    #[must_use]
    pub fn is_rehearsal(&self) -> bool {
        self.query
            .split('&')
            .any(|parameter| parameter == "dryRun=All")
    }

    /// Whether the request asks for the existing objects: a list, or a watch that begins with them.
    #[must_use]
    pub fn asks_for_all(&self) -> bool {
        self.verb == Verb::List || self.is_streaming_list()
    }

    /// Whether the request is a watch that begins with the existing objects.
    #[must_use]
    pub fn is_streaming_list(&self) -> bool {
        let wanted = "sendInitialEvents=true";
        self.verb == Verb::Watch && self.query.split('&').any(|parameter| parameter == wanted)
    }

    pub(crate) fn of(parts: &Parts) -> Self {
        let query = parts.uri.query().unwrap_or_default();
        let accept = parts.headers.get("accept").and_then(|v| v.to_str().ok());
        let about = About::parse(parts.uri.path());
        let named = about.name.is_some();
        let watching = query
            .split('&')
            .any(|pair| matches!(pair, "watch=true" | "watch=1" | "watch"));
        let collection = !about.resource.is_empty() && !named;
        let verb = match parts.method.as_str() {
            "POST" => Verb::Create,
            "PUT" => Verb::Update,
            "PATCH" => Verb::Patch,
            "DELETE" if named => Verb::Delete,
            "DELETE" => Verb::DeleteCollection,
            _ if watching => Verb::Watch,
            _ if collection => Verb::List,
            _ => Verb::Get,
        };
        Self {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: query.to_owned(),
            verb,
            metadata_only: accept.is_some_and(|v| v.contains("as=PartialObjectMetadata")),
            group: about.group,
            resource: about.resource,
            subresource: about.subresource,
            namespace: about.namespace,
            name: about.name,
        }
    }

    /// `secrets`, `leases`, `pods/status`: the resource with its subresource.
    #[must_use]
    pub fn what(&self) -> String {
        match &self.subresource {
            Some(subresource) => format!("{}/{subresource}", self.resource),
            None => self.resource.clone(),
        }
    }
}

#[derive(Default)]
struct About {
    group: String,
    resource: String,
    subresource: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
}

impl About {
    fn parse(path: &str) -> Self {
        let owned = |part: &&str| (*part).to_owned();
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let (group, rest) = match parts.as_slice() {
            ["api", _version, rest @ ..] => ("", rest),
            ["apis", group, _version, rest @ ..] => (*group, rest),
            _ => return Self::default(),
        };
        // `namespaces/x` and its two subresources are about the namespace itself.
        let (namespace, rest) = match rest {
            ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => (None, rest),
            ["namespaces", namespace, rest @ ..] => (Some(namespace), rest),
            _ => (None, rest),
        };
        Self {
            group: group.to_owned(),
            resource: rest.first().map(owned).unwrap_or_default(),
            subresource: rest.get(2).map(owned),
            namespace: namespace.map(owned),
            name: rest.get(1).map(owned),
        }
    }
}
