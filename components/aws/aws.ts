/** How AWS is reached, by its own library and by Pulumi's plugin alike. */
import type { EC2Client } from "@aws-sdk/client-ec2";

/** What an operator sets of AWS. */
export interface AwsAccess {
  /** Where the machines are: `eu-central-1`. */
  region: string;
  /** Without one: the environment, or a profile. */
  accessKey?: { id: string; secret: string } | undefined;
  profile?: string | undefined;
  /** Where the API is, in place of AWS's own. */
  api?: string | undefined;
}

/** How often a call is tried where AWS throttles it or breaks off, the first time included. */
export const attempts = 6;

/** How long a connection, and an answer, may take, in milliseconds. */
const deadlines = { connectionTimeout: 5000, requestTimeout: 60_000, throwOnRequestTimeout: true };

/** A client of EC2. AWS's library is large: it is read only where it is used. */
export async function ec2(access: AwsAccess): Promise<EC2Client> {
  const { EC2Client: Client } = await import("@aws-sdk/client-ec2");
  const { region, accessKey, profile, api } = access;
  return new Client({
    region,
    maxAttempts: attempts,
    requestHandler: deadlines,
    ...(accessKey ? { credentials: { accessKeyId: accessKey.id, secretAccessKey: accessKey.secret } } : {}),
    ...(profile === undefined ? {} : { profile }),
    ...(api === undefined ? {} : { endpoint: api }),
  });
}
