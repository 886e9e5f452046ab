// A double of pulumi-resource-aws 7.48.0, for machines where it cannot be installed. It speaks AWS's real API by AWS's own client. A
// service adds its types and functions in a file of its own, as awsRoute53.ts does.
import type { Wire } from "./commandInputs.ts";
import { servePlugin, textOf } from "./resourceProvider.ts";

/** How AWS's clients are made, for every service. */
export interface Aws {
  region: string;
  credentials?: { accessKeyId: string; secretAccessKey: string };
  profile?: string;
  /** How often a call is tried in all, where the program says it. */
  maxRetries?: number;
  /** Where a service is, in place of its own address. */
  endpoint: (service: string) => string | undefined;
}

function connect(settings: Wire): Aws {
  const endpoints = (settings["endpoints"] ?? []) as Record<string, string>[];
  const [accessKeyId, secretAccessKey, profile] = ["accessKey", "secretKey", "profile"].map((key) =>
    textOf(settings[key]),
  );
  return {
    region: textOf(settings["region"]) ?? "us-east-1",
    ...(accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey } } : {}),
    ...(profile ? { profile } : {}),
    ...(settings["maxRetries"] === undefined ? {} : { maxRetries: Number(settings["maxRetries"]) }),
    endpoint: (service) => endpoints.find((all) => all[service])?.[service],
  };
}

await servePlugin({
  name: "aws",
  version: "7.48.0",
  connect,
  part: (token) => (token.startsWith("aws:route53/") ? import("./awsRoute53.ts") : import("./awsEc2.ts")),
});
