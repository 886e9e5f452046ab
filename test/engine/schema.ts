// What a type of resources of a bridged Terraform provider may be told: the rules which its schema has for inputs, and what follows
// from them for checks, differences and what is read.
import { isDeepStrictEqual } from "node:util";
import { type Failure, isObject, unknown, type Wire } from "./commandInputs.ts";
import type { Difference } from "./resourceProvider.ts";

type Mark =
  | "required"
  /** Not said, it stays what it is: the API chose it. */
  | "computed"
  /** Another value is another resource. */
  | "replaces";

export interface Field {
  kind: "text" | "number" | "flag" | "texts" | "tags" | "object" | "objects";
  marks: readonly Mark[];
  /** What it is where nothing is said. */
  fallback?: unknown;
  /** Of objects. */
  fields?: Fields;
  /** What tells the objects of a list apart; their order means nothing. */
  key?: string;
}
export type Fields = Readonly<Record<string, Field>>;

const simple =
  (kind: Field["kind"]) =>
  (...marks: Mark[]): Field => ({ kind, marks });
export const text = simple("text");
export const number = simple("number");
export const flag = simple("flag");
/** Texts whose order means nothing. */
export const texts = simple("texts");
export const tags = simple("tags");
export const object = (fields: Fields, ...marks: Mark[]): Field => ({ kind: "object", marks, fields });
export const objects = (key: string, fields: Fields, ...marks: Mark[]): Field => ({
  kind: "objects",
  marks,
  fields,
  key,
});
export const or = (fallback: unknown, field: Field): Field => ({ ...field, fallback });

const isTexts = (value: unknown) => Array.isArray(value) && value.every((inner) => typeof inner === "string");
const fits: Record<Field["kind"], (value: unknown) => boolean> = {
  text: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  flag: (value) => typeof value === "boolean",
  texts: isTexts,
  tags: (value) => isObject(value) && Object.values(value).every((inner) => typeof inner === "string"),
  object: isObject,
  objects: (value) => Array.isArray(value) && value.every((inner) => isObject(inner) || inner === unknown),
};

/** What is wrong with inputs: a name that is not known, a kind that does not fit, something required that is not there. */
export function unfit(fields: Fields, inputs: Wire, prefix = ""): Failure[] {
  const missing = Object.entries(fields)
    .filter(([name, { marks }]) => marks.includes("required") && inputs[name] === undefined)
    .map(([name]) => ({
      property: `${prefix}${name}`,
      reason: `Missing required argument '${prefix}${name}'`,
    }));
  return [
    ...missing,
    ...Object.entries(inputs).flatMap(([name, value]) => unfitOne(fields, prefix, name, value)),
  ];
}

function unfitOne(fields: Fields, prefix: string, name: string, value: unknown): Failure[] {
  const property = `${prefix}${name}`;
  if (name.startsWith("__") || value === unknown || value === undefined || value === null) return [];
  const field = fields[name];
  if (!field)
    return [{ property, reason: `'${property}' is not known to this double, which would leave it out` }];
  if (!fits[field.kind](value)) return [{ property, reason: `'${property}' should be a ${field.kind}` }];
  if (field.kind === "object") return unfit(field.fields!, value as Wire, `${property}.`);
  if (field.kind !== "objects") return [];
  return (value as unknown[]).flatMap((inner, index) =>
    isObject(inner) ? unfit(field.fields!, inner, `${property}[${index}].`) : [],
  );
}

/** What differs between two sets of inputs, as the API would see it. */
export function differences(fields: Fields, olds: Wire, news: Wire, prefix = ""): Difference[] {
  return Object.entries(fields).flatMap(([name, field]) =>
    differencesOfOne(field, `${prefix}${name}`, olds[name] ?? field.fallback, news[name] ?? field.fallback),
  );
}

function differencesOfOne(field: Field, path: string, old: unknown, fresh: unknown): Difference[] {
  const whole = [{ path, replaces: replacing(field) }];
  if (fresh === undefined) return old === undefined || field.marks.includes("computed") ? [] : whole;
  if (fresh === unknown) return whole;
  if (field.kind === "object" && isObject(fresh)) {
    if (field.marks.includes("replaces") && old === undefined) return whole;
    return differences(field.fields!, isObject(old) ? old : {}, fresh, `${path}.`);
  }
  if (field.kind === "objects") return differencesOfList(field, path, old, fresh as Wire[]);
  if (field.kind === "texts" && isTexts(old) && isTexts(fresh))
    return isDeepStrictEqual(old.toSorted(), fresh.toSorted()) ? [] : whole;
  return isDeepStrictEqual(old, fresh) ? [] : whole;
}

function differencesOfList(field: Field, path: string, old: unknown, fresh: Wire[]): Difference[] {
  const key = field.key!;
  const before = (old ?? []) as Wire[];
  const gone = before.filter((one) => !fresh.some((other) => other[key] === one[key]));
  const replaces = replacing(field);
  return [
    ...fresh.flatMap((one, index) => {
      const same = before.find((other) => other[key] === one[key]);
      if (!same) return [{ path: `${path}[${index}]`, replaces }];
      return differences(field.fields!, same, one, `${path}[${index}].`);
    }),
    ...gone.map((one) => ({ path: `${path}[${before.indexOf(one)}]`, replaces })),
  ];
}

/** A whole list or object which comes or goes makes another resource where any of its parts would. */
function replacing({ marks, kind, fields = {} }: Field): boolean {
  return marks.includes("replaces") || (kind === "objects" && Object.values(fields).some(replacing));
}

/**
 * What is found, as inputs. Of what a program said of it only that comes back; of what the API tells nothing stays as said. With
 * nothing said, as at an import, all comes back that is neither empty nor what it would be anyway.
 */
export function asInputs(fields: Fields, found: Wire, given: Wire): Wire {
  if (Object.keys(given).length === 0) return whole(fields, found);
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, asGiven(fields[name], found[name], value)]),
  );
}

function asGiven(field: Field | undefined, found: unknown, given: unknown): unknown {
  if (!field || found === undefined) return given;
  if (field.kind === "object" && isObject(found) && isObject(given))
    return asInputs(field.fields!, found, given);
  if (field.kind === "texts" && isTexts(found) && isTexts(given)) {
    const [there, said] = [found, given];
    return [...said.filter((one) => there.includes(one)), ...there.filter((one) => !said.includes(one))];
  }
  if (field.kind === "objects" && Array.isArray(found) && Array.isArray(given)) {
    const key = field.key!;
    return (given as Wire[]).flatMap((one) => {
      const same = (found as Wire[]).find((other) => other[key] === one[key]);
      return same ? [asInputs(field.fields!, same, one)] : [];
    });
  }
  return found;
}

function whole(fields: Fields, found: Wire): Wire {
  const entries = Object.entries(fields).flatMap(([name, field]): [string, unknown][] => {
    const value = found[name];
    if (field.kind === "object" && isObject(value)) return [[name, whole(field.fields!, value)]];
    if (field.kind === "objects" && Array.isArray(value))
      return [[name, (value as Wire[]).map((one) => whole(field.fields!, one))]];
    return [[name, value]];
  });
  return Object.fromEntries(
    entries.filter(([name, value]) => {
      const { fallback } = fields[name]!;
      return fallback === undefined ? !isEmpty(value) : value !== undefined && value !== fallback;
    }),
  );
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}
