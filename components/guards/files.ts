/** Guards of what is copied: the paths, and room for them. */
import { quote } from "../script.ts";
import type { Finding, Look } from "./guards.ts";
import { megabytes } from "../size.ts";

/** Each path of the settings is there on old, measured, and free on new. */
export function paths({ settings, old, new: fresh, begun }: Look): Finding[] {
  return [...settings.site.files, ...settings.site.code].flatMap((path): Finding[] => {
    if ((old.get(`path.${path}`) ?? "absent") === "absent")
      return [
        {
          place: `old, ${path}`,
          rule: "is there to be copied",
          value: "there is nothing",
          remedy: "correct changeover:site.files or changeover:site.code",
        },
      ];
    if (!begun("files-copy") && !old.get(`bytes.${path}`))
      return [
        {
          place: `old, ${path}`,
          rule: "is measured within 20 seconds",
          value: "it takes longer",
          remedy: `see for yourself that new has room for it: du -sh ${quote(path)}`,
          warning: true,
        },
      ];
    if (!begun("files-copy") && Number(fresh.get(`entries.${path}`) ?? 0) > 0)
      return [
        {
          place: `new, ${path}`,
          rule: "is empty before the copy",
          value: "something is there",
          remedy: "it is set aside and comes back with the way back; remove it if it is of no use",
          warning: true,
        },
      ];
    return [];
  });
}

/** Room for the files on new, per file system. */
export function roomForFiles({ settings, old, new: fresh, done }: Look): Finding[] {
  const need = new Map<string, { free: number; bytes: number; of: string[] }>();
  for (const path of done("files-copy") ? [] : [...settings.site.files, ...settings.site.code]) {
    const [device, free] = (fresh.get(`free.${path}`) ?? "").split(" ");
    if (device === undefined || free === undefined) continue;
    const entry = need.get(device) ?? { free: Number(free), bytes: 0, of: [] };
    entry.bytes += Number(old.get(`bytes.${path}`) ?? 0);
    entry.of.push(path);
    need.set(device, entry);
  }
  return [...need.values()]
    .filter(({ free, bytes }) => free < bytes * 1.1)
    .map(({ free, bytes, of }) => ({
      place: `new, ${of.join(", ")}`,
      rule: `has ${megabytes(bytes * 1.1)} free for the files`,
      value: `${megabytes(free)} are`,
      remedy: "make room on new",
    }));
}
