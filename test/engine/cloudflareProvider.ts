// A double of pulumi-resource-cloudflare 6.22.1, for machines where it cannot be installed. It knows
// cloudflare:index/dnsRecord:DnsRecord, and speaks Cloudflare's API v4 as the real one does: imports by ZONE/RECORD, updates by PUT, tries again after
// 408, 409, 429 and 5xx, ten times, as long after as Retry-After says, else after 2, 4, 8 s. Here it waits a twentieth of that.
import type { Wire } from "./commandInputs.ts";
import { servePlugin, textOf, type Remote, type ResourceType } from "./resourceProvider.ts";

const retries = 10;
const waitFactor = 1 / 20;
const [longestWait, firstWait] = [8000, 2000];

interface ApiRecord {
  id: string;
  name: string;
  type: string;
  content: string;
  ttl: number;
  proxied: boolean;
  proxiable?: boolean;
  comment?: string | null;
  tags?: string[];
  settings?: Wire;
  modified_on?: string;
}

class Client {
  readonly #base: string;
  readonly #token: string;

  constructor({ apiToken, baseUrl }: Wire) {
    this.#base = (textOf(baseUrl) ?? "https://api.cloudflare.com/client/v4").replace(/\/$/, "");
    this.#token = textOf(apiToken) ?? process.env["CLOUDFLARE_API_TOKEN"] ?? "";
  }

  /** What the API answers; nothing where there is nothing. */
  async request(method: string, path: string, body?: unknown): Promise<ApiRecord | undefined> {
    const response = await this.#attempts(method, path, body);
    const text = await response.text();
    if (response.status === 404 && method === "GET") return undefined;
    if (!response.ok)
      throw new Error(
        `failed to make http request: ${method} "${this.#base}${path}": ${response.status} ${response.statusText} ${text}`,
      );
    return (JSON.parse(text) as { result: ApiRecord }).result;
  }

  async #attempts(method: string, path: string, body: unknown): Promise<Response> {
    for (let round = 0; ; round++) {
      const response = await fetch(`${this.#base}${path}`, {
        method,
        headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const again = [408, 409, 429].includes(response.status) || response.status >= 500;
      if (!again || round === retries) return response;
      const asked = Number(response.headers.get("retry-after")) * 1000;
      const wait = asked > 0 && asked < 60_000 ? asked : Math.min(firstWait * 2 ** round, longestWait);
      await new Promise((resolve) => setTimeout(resolve, wait * waitFactor));
    }
  }
}

const [withoutValue, camel, snake] = [
  (value: Wire) => Object.fromEntries(Object.entries(value).filter(([, inner]) => inner)),
  (key: string) => key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  (key: string) => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
];
const keys = (value: Wire, rename: (key: string) => string) =>
  Object.fromEntries(Object.entries(value).map(([key, inner]) => [rename(key), inner]));

function remote(zoneId: string, record: ApiRecord): Remote {
  const { comment, tags = [], settings = {} } = record;
  const set = withoutValue(keys(settings, camel));
  return {
    id: record.id,
    inputs: {
      zoneId,
      name: record.name,
      type: record.type,
      content: record.content,
      ttl: record.ttl,
      proxied: record.proxied,
      ...(comment ? { comment } : {}),
      ...(tags.length > 0 ? { tags } : {}),
      ...(Object.keys(set).length > 0 ? { settings: set } : {}),
    },
    outputs: { modifiedOn: record.modified_on ?? "", proxiable: record.proxiable ?? true },
  };
}

function body({ settings, ...inputs }: Wire): Wire {
  return { ...inputs, zoneId: undefined, ...(settings ? { settings: keys(settings as Wire, snake) } : {}) };
}

const records = (inputs: Wire) => `/zones/${String(inputs["zoneId"])}/dns_records`;

const dnsRecord: ResourceType<Client> = {
  replaces: ["zoneId", "type"],
  check: (inputs) => [
    ...["zoneId", "name", "type", "ttl"]
      .filter((property) => inputs[property] === undefined)
      .map((property) => ({ property, reason: `Missing required property '${property}'` })),
    ...(inputs["proxied"] === true && inputs["ttl"] !== undefined && inputs["ttl"] !== 1
      ? [{ property: "ttl", reason: "ttl must be set to 1 when `proxied` is true" }]
      : []),
  ],
  create: async (client, inputs) =>
    remote(String(inputs["zoneId"]), (await client.request("POST", records(inputs), body(inputs)))!),
  read: async (client, id, known) => {
    const [zoneId = "", recordId = ""] = id.includes("/") ? id.split("/") : [String(known["zoneId"]), id];
    const found = await client.request("GET", `/zones/${zoneId}/dns_records/${recordId}`);
    return found && remote(zoneId, found);
  },
  update: async (client, id, inputs) =>
    remote(
      String(inputs["zoneId"]),
      (await client.request("PUT", `${records(inputs)}/${id}`, body(inputs)))!,
    ),
  delete: async (client, id, inputs) => {
    await client.request("DELETE", `${records(inputs)}/${id}`);
  },
};

await servePlugin({
  name: "cloudflare",
  version: "6.22.1",
  connect: (settings) => new Client(settings),
  part: () =>
    Promise.resolve({ resources: { "cloudflare:index/dnsRecord:DnsRecord": dnsRecord }, functions: {} }),
});
