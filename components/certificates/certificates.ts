/** The site's certificates: copied from old, or obtained by ACME on new; and who renews them. */
import { scriptBeside, type Setting } from "../script.ts";
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

/** Where new's certificate comes from. */
export interface CertificateSettings {
  from: "copy" | "acme";
  /** For a new account; an account of old's is taken over. */
  email?: string | undefined;
  /** The ACME server's directory, a URL. */
  server: string;
  /** Seconds: a certificate that ends sooner is told of, and by ACME replaced. */
  expiry: number;
}

const nginx = ["nginx.sh", "find.sh", "include.sh"].map(
  (file) => new URL(`../proxy/${file}`, import.meta.url),
);
const certbot = new URL("certbot.sh", import.meta.url);
const look = new URL("served.sh", import.meta.url);

/** What looks at a served certificate, and the setting that it needs. */
export function servedLook({ certificates }: Pick<SiteSettings, "certificates">): {
  shared: URL[];
  settings: Record<string, Setting>;
} {
  return { shared: [look], settings: { CERTIFICATES: certificates.from } };
}

/** Copies the certificates that nginx names; nobody renews them on new yet. */
export function copyCertificates({ stepDeadline }: SiteSettings): Step {
  return {
    name: "certificates",
    side: "new",
    title: "copy the certificates",
    back: "remove them",
    folder: new URL("copy/", import.meta.url),
    shared: [certbot],
    after: ["access-gate"],
    deadlineSeconds: stepDeadline,
  };
}

/** The ACME server's questions reach new by way of old; new has had the site's file from old as it was. */
export function passChallenges({ stepDeadline }: SiteSettings): Step {
  return {
    name: "acme-challenge",
    side: "old",
    title: "old's nginx passes /.well-known/acme-challenge/ to new",
    back: "old answers it itself",
    folder: new URL("challenge/", import.meta.url),
    shared: nginx,
    settings: {
      INJECT: scriptBeside(import.meta.url, "../proxy/inject.awk"),
      PASS_CHALLENGES: scriptBeside(import.meta.url, "challenge.conf"),
    },
    after: ["site"],
    deadlineSeconds: stepDeadline,
  };
}

/** Obtains a certificate for all names of the site: one order, whatever cuts the step off. */
export function obtainCertificate(settings: SiteSettings): Step {
  const { certificates, stepDeadline } = settings;
  const { shared, settings: lookSettings } = servedLook(settings);
  return {
    name: "acme",
    side: "new",
    title: `obtain a certificate for ${settings.site.names.length} names from ${new URL(certificates.server).host}`,
    back: "remove it",
    folder: new URL("obtain/", import.meta.url),
    shared: [
      ...nginx,
      certbot,
      ...["name.sh", "problem.sh"].map((file) => new URL(file, import.meta.url)),
      ...shared,
    ],
    settings: {
      ...lookSettings,
      EXPIRY: certificates.expiry,
      ACME_SERVER: certificates.server,
      ACME_EMAIL: certificates.email ?? "",
      ANSWER_CHALLENGES: scriptBeside(import.meta.url, "answer.conf"),
    },
    after: ["acme-challenge"],
    deadlineSeconds: stepDeadline,
    expectedSeconds: () => 15,
  };
}

/** From here on old renews the site's certificates no more. */
export function stopRenewal({ stepDeadline }: SiteSettings): Step {
  return {
    name: "renewal-stop",
    side: "old",
    title: "certbot on old renews the site's certificates no more",
    back: "it renews them again",
    folder: new URL("stop/", import.meta.url),
    shared: [new URL("../proxy/find.sh", import.meta.url), certbot],
    after: ["files-catch-up"],
    deadlineSeconds: stepDeadline,
  };
}

/** From here on new renews them. */
export function startRenewal({ certificates, stepDeadline }: SiteSettings): Step {
  return {
    name: "renewal-start",
    side: "new",
    title: "certbot on new renews the site's certificates; old serves what it passes on with them",
    back: "it renews them no more",
    folder: new URL("start/", import.meta.url),
    shared: [new URL("../proxy/find.sh", import.meta.url), certbot],
    settings: { CERTIFICATES: certificates.from, HOOK: scriptBeside(import.meta.url, "hook.sh") },
    after: ["traffic"],
    deadlineSeconds: stepDeadline,
  };
}
