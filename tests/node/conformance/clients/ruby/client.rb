# Asks STS who it is, once for each line of its input, with one client for as long as it lives.
require "json"
require "aws-sdk-core"

def ask(sts)
  answer = { sdk: Aws::CORE_GEM_VERSION }
  begin
    answer[:arn] = sts.get_caller_identity.arn
  rescue Aws::STS::Errors::ServiceError => refused
    answer[:error] = refused.code
  rescue StandardError => failure
    answer.update(error: "NoCredentials", words: failure.message)
  end
  used = sts.config.credentials&.credentials
  answer[:key] = used.access_key_id[-4..] if used
  answer
end

# Versions before 3.171 do not know the variable.
sts = Aws::STS::Client.new(endpoint: ENV.fetch("AWS_ENDPOINT_URL"))
$stdin.each_line do
  puts ask(sts).to_json
  $stdout.flush
end
