/** Guards: nginx. */
import { describe } from "vitest";
import { passes, stops, warns } from "./look.ts";

describe("nginx", () => {
  stops([
    [
      "nginx on old",
      { "nginx.test": "nginx: [warn] x\nnginx: [emerg] y" },
      {},
      ["old, nginx", "nginx -t says: nginx: [emerg] y", "mend it on old"],
    ],
    ["nginx on new", {}, { "nginx.test": undefined }, ["new, nginx", "nothing", "mend it on new"]],
    [
      "no nginx file",
      { "nginx.files": "" },
      {},
      ["old, nginx", "none is named shop", "'changeover:site.nginx' NAME"],
    ],
    [
      "two nginx files",
      { "nginx.files": "/a/it's\n/b/shop" },
      {},
      ["old, nginx", "several do: /a/it's, /b/shop", "'changeover:site.nginx' 'it'\\''s'"],
    ],
  ]);
  warns([
    [
      "the site on new",
      {},
      { "nginx.files": "/etc/nginx/sites-enabled/shop" },
      ["new, nginx", "does", "replaced by old's file"],
    ],
  ]);
  passes([["site installed", {}, { begun: "shop/site", "nginx.files": "/etc/nginx/sites-enabled/shop" }]]);
});
