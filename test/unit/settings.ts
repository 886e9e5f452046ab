/** A complete move's settings, as `pulumi config` has them, for unit tests. */
export const complete = {
  phase: "idle",
  move: "shop",
  old: { address: "198.51.100.10", hostKey: "ssh-ed25519 AAAAold" },
  new: { address: "198.51.100.20", hostKey: "ssh-ed25519 AAAAnew", user: "deploy", port: 2222 },
  privateKeyFile: "~/.ssh/id_ed25519",
  site: {
    names: ["shop.example.org", "www.shop.example.org"],
    nginx: "shop",
    web: ["shop-web.service"],
    jobs: ["shop-worker.service"],
    cron: ["/etc/cron.d/shop", "crontab of shop"],
    logrotate: ["shop"],
    code: ["/srv/shop/app", "/etc/shop"],
    files: ["/srv/shop/uploads"],
    deploys: ["/srv/git/shop.git"],
    deployLocks: ["/srv/shop/deploy.lock"],
    packages: ["php-fpm"],
    checks: [{ path: "/health", marker: "ok", status: 200 }],
  },
  database: {
    name: "shop",
    roles: ["shop"],
    endpoint: { file: "/etc/shop/shop.env", address: "127.0.0.1:5432" },
  },
};
