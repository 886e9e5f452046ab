/**
 * How long a whole move takes, from idle to finished, on an almost empty site: one `pulumi up` beside the same steps as an
 * Ansible playbook (bench/ansible), both from fresh servers. What the playbook leaves out stands at the top of its move.yml.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { openShop, type Shop } from "../demo/shop.ts";
import { type Benchmark, say, secondsOf } from "./benchmark.ts";

const checkout = join(import.meta.dirname, "..");

export const moveSeconds: Benchmark = {
  name: "move-seconds",
  unit: "seconds",
  goal: 0.5,
  peerName: "ansible-playbook",
  measure: async (runs) => {
    const shop = await openShop({
      name: "bench-move",
      database: { strategy: "dump" },
      env: { DEMO_ROWS: "10", DEMO_UPLOADS: "5" },
    });
    try {
      const ours: number[] = [];
      const peer: number[] = [];
      for (let run = 0; run < runs; run++) {
        if (run > 0) await shop.reset();
        ours.push(await secondsOf(() => shop.moveTo("finished")));
        await expectMoved(shop);
        await shop.reset();
        peer.push(await secondsOf(() => playbook(shop)));
        await expectMoved(shop);
        say(`ours ${ours.at(-1)} s, ansible-playbook ${peer.at(-1)} s`);
      }
      return { ours, peer };
    } finally {
      await shop.close();
    }
  },
};

/** Runs the playbook in the lab's network, with the lab's own key and pinned host keys. */
async function playbook({ lab }: Shop): Promise<void> {
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
      ["ansible-playbook", "--inventory", inventory, join(import.meta.dirname, "ansible/move.yml")],
      {
        all: true,
        reject: false,
        env: {
          LAB_NAME: lab.name,
          ANSIBLE_CONFIG: join(import.meta.dirname, "ansible/ansible.cfg"),
          ANSIBLE_HOME: folder,
          LC_ALL: "C.UTF-8",
        },
      },
    );
    if (exitCode !== 0) throw new Error(`ansible-playbook ended with ${exitCode}\n${all}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Old's nginx answers from new, and new from its own database. */
async function expectMoved(shop: Shop): Promise<void> {
  const answer = await shop.script(
    "old",
    `printf 'GET /whoami HTTP/1.0\\r\\nHost: shop.example.org\\r\\n\\r\\n' | openssl s_client -quiet -verify_quiet -connect 127.0.0.1:443 -servername shop.example.org 2>/dev/null`,
  );
  const jobs = await shop.script("new", "systemctl is-active shop-worker.service; ls /etc/cron.d/shop");
  if (!answer.includes('"host": "new", "database": "127.0.0.1"') || !jobs.startsWith("active"))
    throw new Error(`the site has not moved: ${answer}\n${jobs}`);
}
