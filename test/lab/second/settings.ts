/** The second site: another language, another layout, kept by monit, supervisor and timers; its app cannot use PgBouncer. */
import { patience } from "../../../demo/settings.ts";
import type { LabSite } from "../../../demo/shop.ts";

export const message = "The notes are moving.";

export const secondSite: LabSite = {
  install: "test/lab/second/install",
  oldPackages: ["monit", "supervisor", "starman", "libdbd-pg-perl"],
  newPackages: ["monit", "supervisor", "starman", "libdbd-pg-perl"],
  settings: (lab, database) => ({
    ...patience,
    "changeover:move": "notes",
    "changeover:phase": "idle",
    "changeover:old": { address: lab.old.address, hostKey: lab.old.hostKey },
    "changeover:new": { address: lab.new.address, hostKey: lab.new.hostKey },
    "changeover:privateKeyFile": lab.keyFile,
    "changeover:site": {
      names: "notes.example.net",
      web: "notes.service",
      jobs: ["notes-indexer.service", "supervisor:notes-mailer", "notes-report.timer", "notes-digest.timer"],
      cron: "crontab of notes",
      monit: "notes",
      logrotate: "notes",
      code: "/opt/notes",
      cacheClear: { command: 'echo "$LOGNAME\'s cache" >>/tmp/notes-cleared', user: "notes" },
      checks: [{ path: "/", marker: "notes: " }],
    },
    "changeover:database": {
      name: "notebook",
      roles: "notes_app",
      endpoint: { file: "/opt/notes/etc/notes.yaml", through: "configFile" },
      ...database,
    },
    "changeover:stragglers": { accept: "users go on using old's address" },
    "changeover:maintenance": { message, retryAfter: "30 seconds" },
  }),
};
