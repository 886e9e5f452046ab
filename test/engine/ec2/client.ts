// What every type of EC2 in the double of the AWS provider needs: the client, waits, tags, and what an error means.
import {
  CreateTagsCommand,
  DeleteTagsCommand,
  EC2Client,
  EC2ServiceException,
  type Tag,
} from "@aws-sdk/client-ec2";
import type { Aws } from "../awsProvider.ts";
import { isObject, type Wire } from "../commandInputs.ts";
import { type Remote, Unfinished } from "../resourceProvider.ts";
import { asInputs, type Fields } from "../schema.ts";

/** Of the provider: an API that always says no is asked for a quarter of an hour. */
const attempts = 25;
/** How often in a row something just made may be unknown yet, because not all of EC2 has heard of it. */
const unknownAtMost = 20;
/** The provider looks every three to ten seconds; nothing in a test takes so long. */
const [shortestLookMs, longestLookMs] = [100, 2000];

/** EC2 by AWS's own client, which repeats what was throttled or failed on AWS's side, with growing pauses. */
export function clientOf({ region, credentials, profile, endpoint, maxRetries }: Aws): EC2Client {
  const place = endpoint("ec2");
  return new EC2Client({
    region,
    maxAttempts: maxRetries ?? attempts,
    ...(credentials ? { credentials } : {}),
    ...(profile ? { profile } : {}),
    ...(place ? { endpoint: place } : {}),
  });
}

/** Whether the API refused with one of these codes, or with that text. */
export function refusedBy(error: unknown, codes: readonly string[], said = ""): boolean {
  return error instanceof EC2ServiceException && codes.includes(error.name) && error.message.includes(said);
}

/** What was asked for, or nothing where the API does not know it. */
export async function ifKnown<T>(asked: Promise<T>, ...codes: string[]): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (refusedBy(error, codes)) return undefined;
    throw error;
  }
}

/** The error that the provider would print: what it was doing, and the API's code and text. */
export function failed(doing: string, error: unknown): Error {
  if (!(error instanceof Error)) return new Error(`${doing}: ${String(error)}`);
  const told =
    error instanceof EC2ServiceException ? `api error ${error.name}: ${error.message}` : error.message;
  return new Error(`${doing}: ${told}`, { cause: error });
}

/** Does it, and says what it was doing where it fails. */
export async function doing<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Unfinished ? error : failed(what, error);
  }
}

export interface Wait<T> {
  /** For the error: "waiting for EC2 Instance (i-1) create". */
  what: string;
  seconds: number;
  /** Nothing where the API does not know it (yet). */
  look: () => Promise<T | undefined>;
  state: (found: T) => string;
  pending: readonly string[];
  target: readonly string[];
  /** Why it is in a state where it should not be. */
  reason?: (found: T) => string | undefined;
}

/** Looks until it is in a target state. Any state that is neither that nor pending ends the wait at once. */
export async function until<T>({ what, seconds, look, state, pending, target, reason }: Wait<T>): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  let unknowns = 0;
  let last = "nothing";
  for (let pause = shortestLookMs; ; pause = Math.min(pause * 2, longestLookMs)) {
    const found = await doing(what, look);
    if (found === undefined) {
      if (++unknowns > unknownAtMost)
        throw new Error(`${what}: couldn't find resource (${unknowns} retries)`);
    } else {
      unknowns = 0;
      last = state(found);
      if (target.includes(last)) return found;
      if (!pending.includes(last)) {
        const why = reason?.(found);
        const wanted = target.join(", ");
        throw new Error(
          `${what}: unexpected state '${last}', wanted target '${wanted}'.${why ? ` last error: ${why}` : ""}`,
        );
      }
    }
    if (Date.now() + pause > deadline)
      throw new Error(
        `${what}: timeout while waiting for state to become '${target.join(", ")}' (last state: '${last}', timeout: ${seconds}s)`,
      );
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Does it again while the API refuses it so, for at most that long: what it needs is not known everywhere yet. */
export async function again<T>(
  seconds: number,
  codes: readonly string[],
  said: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (let pause = shortestLookMs; ; pause = Math.min(pause * 2, longestLookMs)) {
    try {
      return await work();
    } catch (error) {
      if (!said.some((part) => refusedBy(error, codes, part)) || Date.now() + pause > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** What a create does after it has an id: where that fails, the resource is in the state nevertheless. */
export async function finish(made: Remote, work: () => Promise<Remote>): Promise<Remote> {
  try {
    return await work();
  } catch (error) {
    throw new Unfinished(made, error as Error);
  }
}

/** What is in the state of a resource: all that was found, and as inputs what the program has said of it. */
export function remoteOf(fields: Fields, id: string, found: Wire, given: Wire): Remote {
  return { id, inputs: asInputs(fields, found, given), outputs: found };
}

/** Tags as the API takes them. */
export function tagsOf(tags: unknown): Tag[] {
  return Object.entries(isObject(tags) ? (tags as Record<string, string>) : {}).map(([Key, Value]) => ({
    Key,
    Value,
  }));
}

/** Tags as a program has them, without AWS's own. */
export function readTags(tags: readonly Tag[] = []): Record<string, string> {
  const own = tags.filter(({ Key = "" }) => !Key.startsWith("aws:"));
  return Object.fromEntries(own.map(({ Key = "", Value = "" }) => [Key, Value]));
}

/** Adds tags to what is there. */
export async function createTags(client: EC2Client, id: string, tags: unknown): Promise<void> {
  const Tags = tagsOf(tags);
  if (Tags.length > 0) await client.send(new CreateTagsCommand({ Resources: [id], Tags }));
}

/** Takes away what is no longer said, and sets what is new; nothing is called where nothing changed. */
export async function updateTags(client: EC2Client, id: string, olds: unknown, news: unknown): Promise<void> {
  const [before, after] = [olds, news].map((tags) => (isObject(tags) ? tags : {})) as [Wire, Wire];
  const gone = Object.keys(before).filter((Key) => !(Key in after));
  if (gone.length > 0)
    await client.send(new DeleteTagsCommand({ Resources: [id], Tags: gone.map((Key) => ({ Key })) }));
  await createTags(
    client,
    id,
    Object.fromEntries(Object.entries(after).filter(([key, value]) => before[key] !== value)),
  );
}

/** The ARN of something of EC2. */
export function arnOf({ region }: Aws, account: string, resource: string): string {
  return `arn:aws:ec2:${region}:${account}:${resource}`;
}
