//! Calls STS once for each line of input, with one client for the life of the process.

use aws_sdk_sts::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata},
};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    // The STS of the tests has no TLS, and the image no certificates.
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = aws_config::from_env().http_client(http).load().await;
    let client = Client::new(&config);
    for line in std::io::stdin().lines() {
        line?;
        println!("{}", ask(&client).await);
    }
    Ok(())
}

async fn ask(client: &Client) -> Value {
    let mut answer = json!({ "sdk": aws_sdk_sts::meta::PKG_VERSION });
    match client.get_caller_identity().send().await {
        Ok(identity) => answer["arn"] = json!(identity.arn()),
        Err(failure) => {
            answer["error"] = json!(failure.code().unwrap_or("NoCredentials"));
            answer["words"] = json!(DisplayErrorContext(failure).to_string());
        }
    }
    answer
}
