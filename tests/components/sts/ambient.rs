//! The environment does not influence the endpoint, the route or the signer of the client.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use static_aws_credentials::sts::parse_endpoint;

use super::{
    asking::{ACCOUNT, ARN, ask, at_endpoint, direct, identity},
    raw::{Act, Raw, reply, success},
    variables,
};

/// Set only in the child: the endpoint that the child calls.
const CHILD: &str = "STS_TEST_CHILD_ENDPOINT";
const KEY_OF_TRAP: &str = "AKIATRAPTRAPTRAPTRAP";

/// Counts connections. It answers like a proxy, an endpoint and a metadata service at once, so that a client that uses
/// it continues.
struct Trap {
    url: String,
    visits: Arc<AtomicUsize>,
}

impl Trap {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let visits = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&visits);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                counter.fetch_add(1, Ordering::SeqCst);
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(&reply(200, "", &success("666666666666", ARN)));
            }
        });
        Self { url, visits }
    }

    fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }
}

/// Every variable that redirects an SDK or an HTTP client, each set to the trap.
fn environment(trap: &str, home: &Path) -> Vec<(&'static str, String)> {
    let path = |name: &str| home.join(name).display().to_string();
    let mut variables: Vec<_> = variables::URLS.map(|name| (name, trap.to_owned())).into();
    variables.extend(
        [
            ("AWS_ACCESS_KEY_ID", KEY_OF_TRAP),
            ("AWS_SECRET_ACCESS_KEY", "trap"),
            ("AWS_SESSION_TOKEN", "trap"),
            ("AWS_PROFILE", "trap"),
            ("AWS_REGION", "us-trap-1"),
            ("AWS_DEFAULT_REGION", "us-trap-1"),
            ("AWS_STS_REGIONAL_ENDPOINTS", "legacy"),
            ("AWS_USE_FIPS_ENDPOINT", "true"),
            ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
            ("AWS_MAX_ATTEMPTS", "7"),
            ("AWS_SDK_UA_APP_ID", "trap"),
            ("AWS_EXECUTION_ENV", "trap"),
            ("AWS_LAMBDA_FUNCTION_NAME", "trap"),
            ("_X_AMZN_TRACE_ID", "trap"),
            ("AWS_ROLE_ARN", "arn:aws:iam::666666666666:role/trap"),
        ]
        .map(|(name, value)| (name, value.to_owned())),
    );
    variables.extend([
        ("HOME", home.display().to_string()),
        ("AWS_CONFIG_FILE", path(".aws/config")),
        ("AWS_SHARED_CREDENTIALS_FILE", path(".aws/credentials")),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", path("token")),
        ("AWS_CA_BUNDLE", path("token")),
    ]);
    variables
}

fn furnish(home: &Path, trap: &str) {
    fs::create_dir_all(home.join(".aws")).expect("a home");
    let keys = format!("aws_access_key_id = {KEY_OF_TRAP}\naws_secret_access_key = trap\n");
    let credentials = format!("[default]\n{keys}[trap]\n{keys}");
    fs::write(home.join(".aws/credentials"), credentials).expect("credentials");
    let settings =
        format!("region = us-trap-1\nendpoint_url = {trap}\nsts_regional_endpoints = legacy\n");
    let config = format!("[default]\n{settings}[profile trap]\n{settings}");
    fs::write(home.join(".aws/config"), config).expect("config");
    fs::write(home.join("token"), "trap").expect("token");
}

/// The other tests need the environment of this process unchanged, so a child process gets the modified one.
#[tokio::test]
async fn a11_nothing_ambient_has_a_say() {
    if let Ok(endpoint) = std::env::var(CHILD) {
        return ask_as_the_child(&endpoint).await;
    }
    let sts = Raw::start([Act::Send(reply(200, "", &success(ACCOUNT, ARN)))]).await;
    let trap = Trap::new();
    let home = tempfile::tempdir().expect("a directory");
    furnish(home.path(), &trap.url);

    let mut child = Command::new(std::env::current_exe().expect("this test"));
    child
        .args([
            "--exact",
            "sts::ambient::a11_nothing_ambient_has_a_say",
            "--nocapture",
        ])
        .envs(environment(&trap.url, home.path()))
        .env(CHILD, &sts.url);
    let output = tokio::task::spawn_blocking(move || child.output());
    let output = output.await.expect("no panic").expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "the child ran the test: {said}");

    assert_eq!(trap.visits(), 0, "the trap is empty");
    let requests = sts.requests();
    assert_eq!(
        requests.len(),
        2,
        "one for the question's endpoint and one for the operator's"
    );
    for request in requests {
        assert_eq!(request.line, "POST / HTTP/1.1", "not as to a proxy");
        let signed = request.header("authorization").expect("signed");
        assert!(
            signed.contains("Credential=AKIAQRSTUVWX23456723/"),
            "{signed}"
        );
        assert!(signed.contains("/eu-west-1/sts/aws4_request"), "{signed}");
        let all = format!("{request:?}").to_ascii_lowercase();
        assert!(
            !all.contains("trap") && !all.contains("security-token"),
            "{all}"
        );
    }

    TcpStream::connect(trap.url.trim_start_matches("http://")).expect("the trap was open");
    while trap.visits() == 0 {
        tokio::task::yield_now().await;
    }
}

/// HTTPS to a closed port would use an HTTPS proxy if one were configured.
async fn ask_as_the_child(endpoint: &str) {
    assert_eq!(
        std::env::var("AWS_ACCESS_KEY_ID").as_deref(),
        Ok(KEY_OF_TRAP)
    );
    assert_eq!(ask(&direct(), endpoint).await, identity());
    let ours = parse_endpoint(endpoint).expect("loopback");
    let client = at_endpoint(ours);
    assert_eq!(
        ask(&client, "https://sts.eu-west-1.invalid").await,
        identity()
    );
    let nobody = ask(&direct(), "https://127.0.0.1:1").await;
    assert_ne!(nobody, identity());
}
