// Resources of EC2 as the settings say, in their order. A text "{name.property}" is what another one has.
import { Snapshot } from "@pulumi/aws/ebs/snapshot.js";
import { Ami } from "@pulumi/aws/ec2/ami.js";
import { getElasticIp } from "@pulumi/aws/ec2/getElasticIp.js";
import { getInstance } from "@pulumi/aws/ec2/getInstance.js";
import { Instance } from "@pulumi/aws/ec2/instance.js";
import { Provider } from "@pulumi/aws/provider.js";
import { SecurityGroupIngressRule } from "@pulumi/aws/vpc/securityGroupIngressRule.js";
import * as pulumi from "@pulumi/pulumi";

interface Wanted {
  readonly name: string;
  readonly type: "Ami" | "Instance" | "SecurityGroupIngressRule" | "Snapshot";
  readonly args?: Readonly<Record<string, unknown>>;
  readonly import?: string;
  /** Only looked at. */
  readonly get?: string;
}

const config = new pulumi.Config();
const provider = new Provider("ec2", {
  region: "us-east-1",
  skipCredentialsValidation: true,
  skipRequestingAccountId: true,
  endpoints: [{ ec2: config.require("endpoint") }],
  ...(config.getNumber("maxRetries") === undefined ? {} : { maxRetries: config.getNumber("maxRetries")! }),
});

const types = { Ami, Instance, SecurityGroupIngressRule, Snapshot };
const made = new Map<string, pulumi.CustomResource>();
for (const { name, type, args = {}, import: id, get } of config.getObject<Wanted[]>("resources") ?? []) {
  const options = { provider, ...(id ? { import: id } : {}) };
  const Type = types[type] as unknown as (typeof types)["Instance"];
  made.set(
    name,
    get ? Type.get(name, get, undefined, { provider }) : new Type(name, filled(args) as never, options),
  );
}

function filled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(filled);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, filled(inner)]));
  const [, name, property] = /^\{(\w+)\.(\w+)\}$/.exec(String(value)) ?? [];
  return name && property ? (made.get(name) as unknown as Record<string, unknown>)[property] : value;
}

const [instance, address] = [
  config.getObject<object>("getInstance"),
  config.getObject<object>("getElasticIp"),
];
export const told = instance && getInstance(instance, { provider });
export const elasticIp = address && getElasticIp(address, { provider });
