/** How Pulumi's plugin for AWS is told to reach one service. */
import * as pulumi from "@pulumi/pulumi";
import type { AwsAccess } from "./aws.ts";

/** Settings of a provider that asks one service alone, so that no right of another one is needed. */
export function providerSettings(
  { accessKey, profile, api }: Omit<AwsAccess, "region">,
  service: "ec2" | "route53",
) {
  return {
    skipCredentialsValidation: true,
    skipRequestingAccountId: true,
    ...(accessKey
      ? { accessKey: pulumi.secret(accessKey.id), secretKey: pulumi.secret(accessKey.secret) }
      : {}),
    ...(profile === undefined ? {} : { profile }),
    ...(api === undefined ? {} : { endpoints: [{ [service]: api }] }),
  };
}
