/**
 * How long a whole move takes, from idle to finished, on an almost empty site: one `pulumi up` beside the same steps as an
 * Ansible playbook (bench/ansible), both from fresh servers. What the playbook leaves out stands at the top of its move.yml.
 */
import { openShop, type Shop } from "../demo/shop.ts";
import { type Benchmark, say, secondsOf } from "./benchmark.ts";
import { playbook } from "./playbook.ts";

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
