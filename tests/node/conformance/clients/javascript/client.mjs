// Asks STS who it is, once for each line of its input, with one client for as long as it lives.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { GetCallerIdentityCommand, STSClient, STSServiceException } from "@aws-sdk/client-sts";

const { version } = createRequire(import.meta.url)("@aws-sdk/client-sts/package.json");

async function ask(sts) {
  const answer = { sdk: version };
  try {
    answer.arn = (await sts.send(new GetCallerIdentityCommand({}))).Arn;
  } catch (failure) {
    const refused = failure instanceof STSServiceException;
    Object.assign(answer, { error: refused ? failure.name : "NoCredentials", words: failure.message });
  }
  const used = await sts.config.credentials().catch(() => undefined);
  if (used) answer.key = used.accessKeyId.slice(-4);
  return answer;
}

const sts = new STSClient();
for await (const _ of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await ask(sts)));
}
