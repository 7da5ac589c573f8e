# Asks STS who it is, once for each line of its input, with the AWS CLI that the arguments start.
# Each question is a process of its own, as with every use of the CLI.
version=$("$@" --version 2>&1 | sed 's|^aws-cli/\([^ ]*\).*|\1|')

while read -r _; do
    if said=$("$@" --endpoint-url "$AWS_ENDPOINT_URL" sts get-caller-identity --query Arn --output text 2>&1); then
        answer=arn
    else
        answer=error
        code=$(printf '%s' "$said" | sed -n 's/.*An error occurred (\([A-Za-z]*\)).*/\1/p')
        said=${code:-NoCredentials}
    fi
    printf '{"sdk":"%s","%s":"%s"}\n' "$version" "$answer" "$said"
done
