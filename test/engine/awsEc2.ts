// EC2 for the double of the AWS provider: instances, snapshots, images and rules of security groups, against EC2's query API.
import { image } from "./ec2/image.ts";
import { ingressRule } from "./ec2/ingressRule.ts";
import { instance } from "./ec2/instance.ts";
import { snapshot } from "./ec2/snapshot.ts";

export { functions } from "./ec2/functions.ts";

export const resources = {
  "aws:ec2/instance:Instance": instance,
  "aws:ebs/snapshot:Snapshot": snapshot,
  "aws:ec2/ami:Ami": image,
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": ingressRule,
};
