//! Manifests that a user writes.

/// The annotation is the only part that concerns credentials.
pub const POD: &str = "
apiVersion: v1
kind: Pod
metadata:
  name: reader
  namespace: NAMESPACE
  annotations:
    awscredentials.dev/inject: orders-credentials
spec:
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 1
  securityContext:
    runAsNonRoot: true
    seccompProfile: {type: RuntimeDefault}
  containers:
  - name: s3client
    image: injection.test/s3client:1
    imagePullPolicy: Never
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL]}
    env:
    - {name: BUCKET, value: orders}
    - {name: AWS_ENDPOINT_URL, value: <S3>}
";
/// Changes for a pod that keeps one client for the life of the process. Its image contains only the client, without a
/// shell.
pub const HOT: [(&str, &str); 3] = [
    ("name: reader", "name: follower"),
    (
        "orders-credentials\n",
        "orders-credentials\n    awscredentials.dev/rotation: Hot\n    awscredentials.dev/shell: None\n",
    ),
    ("    env:\n", "    env:\n    - {name: KEEP, value: '1'}\n"),
];
pub const REQUEST: &str = "
apiVersion: v1
kind: Secret
metadata: {name: pair, namespace: NAMESPACE}
stringData: {AWS_ACCESS_KEY_ID: ID, AWS_SECRET_ACCESS_KEY: SECRET}
---
apiVersion: awscredentials.dev/v1alpha1
kind: StaticAwsCredentials
metadata: {name: orders, namespace: NAMESPACE}
spec:
  secretRef: {name: pair}
  region: eu-west-1
  target: {layouts: [Env, SharedCredentialsFile, CredentialProcess]}
";
