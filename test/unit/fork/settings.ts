/** A complete fork's settings, as `pulumi config` has them, for unit tests. */
export const completeFork = {
  runbook: "vmFork",
  phase: "idle",
  move: "shop",
  old: { address: "10.0.1.10", user: "deploy", hostKey: "ssh-ed25519 AAAAold" },
  bastion: { address: "bastion.example.org", hostKey: "ssh-ed25519 AAAAbastion" },
  privateKeyFile: "~/.ssh/id_ed25519",
  site: {
    names: "shop.example.org",
    jobs: ["shop-worker.service", "shop-nightly.timer"],
    files: "/srv/shop/uploads",
    checks: { path: "/health", marker: "ok" },
  },
  fork: {
    database: { where: "machine", name: "shop" },
    readOnly: { on: "shop read-only", off: "shop writable" },
    release: [{ command: "shop deploy", back: "shop undeploy", user: "shop" }],
    inventory: { file: "~/ansible/hosts" },
  },
  aws: { region: "eu-central-1", old: "i-0123456789abcdef0", elasticIp: "203.0.113.7" },
};
