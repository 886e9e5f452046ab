/** Files of the operator's machine that name servers, such as Ansible's hosts: they lead to the copy until the way back. */
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

/** What edit.ts is told. */
export interface InventoryOrder {
  move: string;
  /** On the machine that runs Pulumi; `~/` is the operator's home. */
  file: string;
  /** Host names or addresses. */
  from: string;
  to: string;
}

/** Puts one name in place of another wherever it stands as a whole. Pure. */
export function replaceName(content: string, from: string, to: string): string {
  return content
    .split(/([A-Za-z0-9_.:-]+)/)
    .map((word) => (word === from ? to : word))
    .join("");
}

/** Places one file's edit. Its undo restores the file, unless somebody has changed it meanwhile. */
export function placeInventory(
  name: string,
  order: Omit<InventoryOrder, "to">,
  to: pulumi.Input<string>,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource {
  return new local.Command(
    name,
    {
      create: "node components/inventory/edit.ts do",
      update: ":",
      delete: "node components/inventory/edit.ts undo",
      stdin: pulumi.output(to).apply((address) => JSON.stringify({ ...order, to: address })),
      logging: "stderr",
    },
    options,
  );
}
