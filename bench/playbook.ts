/** The demo's move as an Ansible playbook: what a careful operator has otherwise. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { Shop } from "../demo/shop.ts";

const checkout = join(import.meta.dirname, "..");
const file = join(import.meta.dirname, "ansible/move.yml");
const env = { ANSIBLE_CONFIG: join(import.meta.dirname, "ansible/ansible.cfg"), LC_ALL: "C.UTF-8" };

/** How many tasks it has, each a command or an edit that somebody would have to type. */
export async function playbookTasks(): Promise<number> {
  const { stdout } = await execa("ansible-playbook", ["--list-tasks", "--inventory", "old,new,", file], {
    env,
  });
  return stdout.split("\n").filter((line) => line.includes("TAGS: [") && !/^\s*play #/.test(line)).length;
}

/** Runs the playbook in the lab's network, with the lab's own key and pinned host keys. */
export async function playbook({ lab }: Shop): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "changeover-ansible-"));
  const ssh = {
    ansible_user: "root",
    ansible_ssh_private_key_file: lab.keyFile,
    ansible_ssh_common_args: `-o UserKnownHostsFile=${lab.knownHosts}`,
  };
  const host = ({ address, hostKey }: Shop["lab"]["old"]) => ({
    ansible_host: address,
    host_key: hostKey,
    ...ssh,
  });
  const inventory = join(folder, "inventory.json");
  writeFileSync(inventory, JSON.stringify({ all: { hosts: { old: host(lab.old), new: host(lab.new) } } }));
  try {
    const { exitCode, all } = await execa(
      join(checkout, "lab/run"),
      ["ansible-playbook", "--inventory", inventory, file],
      {
        all: true,
        reject: false,
        env: {
          ...env,
          LAB_NAME: lab.name,
          ANSIBLE_HOME: folder,
        },
      },
    );
    if (exitCode !== 0) throw new Error(`ansible-playbook ended with ${exitCode}\n${all}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
