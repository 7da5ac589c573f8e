// Asks STS who it is, once for each line of its input, with one client for as long as it lives.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import org.springframework.cloud.bindings.Binding;
import org.springframework.cloud.bindings.Bindings;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.util.VersionInfo;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.model.StsException;

public final class Client {
    public static void main(String[] arguments) throws Exception {
        AwsCredentialsProvider credentials = credentials();
        StsClient sts = StsClient.builder().credentialsProvider(credentials).build();
        BufferedReader asks = new BufferedReader(new InputStreamReader(System.in));
        while (asks.readLine() != null) {
            System.out.println(ask(sts, credentials));
        }
    }

    private static AwsCredentialsProvider credentials() {
        if (System.getenv("MX_AWSAuthentication_AccessKey") != null) {
            return variables("MX_AWSAuthentication_AccessKey", "MX_AWSAuthentication_SecretAccessKey");
        }
        if (System.getenv("S3_ACCESS_KEY_ID") != null) {
            return variables("S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY");
        }
        for (Binding bound : new Bindings().filterBindings("aws")) {
            return pair(bound.getSecret().get("access-key-id"), bound.getSecret().get("secret-access-key"));
        }
        return DefaultCredentialsProvider.builder().build();
    }

    // A Mendix app gives the SDK what it finds in these.
    private static AwsCredentialsProvider variables(String id, String secret) {
        return pair(System.getenv(id), System.getenv(secret));
    }

    private static AwsCredentialsProvider pair(String id, String secret) {
        return StaticCredentialsProvider.create(AwsBasicCredentials.create(id, secret));
    }

    private static String ask(StsClient sts, AwsCredentialsProvider credentials) {
        String outcome;
        try {
            outcome = field("arn", sts.getCallerIdentity().arn());
        } catch (StsException refused) {
            outcome = field("error", refused.awsErrorDetails().errorCode());
        } catch (SdkClientException failure) {
            outcome = field("error", "NoCredentials") + "," + field("words", failure.getMessage());
        }
        String id = credentials.resolveCredentials().accessKeyId();
        String key = field("key", id.substring(id.length() - 4));
        return "{" + field("sdk", VersionInfo.SDK_VERSION) + "," + outcome + "," + key + "}";
    }

    private static String field(String name, String value) {
        String escaped = value.replace("\\", "\\\\").replace("\"", "\\\"").replaceAll("\\s", " ");
        return "\"" + name + "\":\"" + escaped + "\"";
    }
}
