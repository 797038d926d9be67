import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { ChainruleError, ValueError } from "../base/index.ts";
import type { Store, TrialRecord, TrialState } from "./store.ts";

/** A connection that runs one statement with `$1`-style places. Each statement is a transaction: nothing here needs a larger one. */
interface Sql {
  run(text: string, values?: readonly (string | number | null)[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

const TABLES = [
  "CREATE TABLE IF NOT EXISTS chainrule_studies (name TEXT PRIMARY KEY, config TEXT NOT NULL)",
  `CREATE TABLE IF NOT EXISTS chainrule_trials (
    study TEXT NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL, params TEXT NOT NULL,
    value DOUBLE PRECISION, error TEXT, seconds DOUBLE PRECISION, owner TEXT NOT NULL, seen DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (study, number))`,
  `CREATE TABLE IF NOT EXISTS chainrule_reports (
    study TEXT NOT NULL, number INTEGER NOT NULL, step INTEGER NOT NULL, value DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (study, number, step))`,
];

const install = async <T>(name: string, load: () => Promise<T>): Promise<T> => {
  try {
    return await load();
  } catch (error) {
    throw new ChainruleError(
      `[tune] this store needs the package ${name}, which is not installed: npm install ${name}.`,
      {
        cause: error,
      },
    );
  }
};

/** A file of SQLite: one machine, any number of processes. */
async function sqlite(path: string): Promise<Sql> {
  const { default: Database } = await install("libsql", () => import("libsql"));
  mkdirSync(dirname(path), { recursive: true });
  const database = new Database(path);
  // Writers wait for each other; readers see the last finished write.
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA busy_timeout = 30000");
  return {
    run(text, given = []) {
      // SQLite takes NaN for NULL; a text that is no number stays one in a column of numbers.
      const values = given.map((v) => (Number.isNaN(v) ? "NaN" : v));
      const statement = database.prepare(text.replaceAll(/\$\d+/g, "?"));
      // Statements that return rows are read, others run.
      if (!/^\s*SELECT|RETURNING/i.test(text)) {
        statement.run(...values);
        return Promise.resolve([]);
      }
      return Promise.resolve(statement.all(...values) as Record<string, unknown>[]);
    },
    close() {
      database.close();
      return Promise.resolve();
    },
  };
}

/** PostgreSQL by URL: any number of machines. */
async function postgresql(url: string): Promise<Sql> {
  const { default: connect } = await install("postgres", () => import("postgres"));
  const client = connect(url, { max: 4, onnotice: () => {}, connect_timeout: 10 });
  return {
    run: async (text, values = []) => [...(await client.unsafe(text, [...values]))],
    close: () => client.end({ timeout: 5 }),
  };
}

const now = (): number => Date.now() / 1e3;

/** Whether an owner "host pid id" was a process of this machine that is gone. */
function isGone(owner: string): boolean {
  const [host, pid] = owner.split(" ");
  if (host !== hostname() || Number(pid) === process.pid) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as { code?: string }).code === "ESRCH";
  }
}

/**
 * Opens a store: a path is a file of SQLite (package libsql), `postgres://…` a database (package postgres).
 *
 * @throws ChainruleError when the package is missing or the database cannot be reached.
 */
export async function openStore(where: string): Promise<Store> {
  const remote = /^postgres(ql)?:\/\//.test(where);
  const sql = await (remote ? postgresql(where) : sqlite(where));
  const owner = `${hostname()} ${process.pid} ${randomUUID()}`;
  try {
    for (const table of TABLES) await sql.run(table);
  } catch (error) {
    await sql.close().catch(() => {});
    // The URL may hold a password: only its host is shown.
    const place = remote ? new URL(where).host : where;
    const reason =
      error instanceof Error && error.message !== "" ? error.message : String((error as { code?: string }).code);
    throw new ChainruleError(`[tune] the store at ${place} cannot be used: ${reason}.`, { cause: error });
  }
  return {
    async open(study, config) {
      await sql.run("INSERT INTO chainrule_studies (name, config) VALUES ($1, $2) ON CONFLICT DO NOTHING", [
        study,
        config,
      ]);
      const [known] = await sql.run("SELECT config FROM chainrule_studies WHERE name = $1", [study]);
      if (known["config"] !== config)
        throw new ValueError(
          `[tune] the store has a study "${study}" with another space or seed: take another name, or the same space. Stored: ${String(known["config"])}; asked: ${config}.`,
        );
    },
    async claim(study, total, paramsOf, stale) {
      // What a process of this machine left when it was killed counts as silent since ever.
      const owners = await sql.run(
        "SELECT DISTINCT owner FROM chainrule_trials WHERE study = $1 AND state = 'running'",
        [study],
      );
      for (const { owner: other } of owners)
        if (isGone(other as string))
          await sql.run("UPDATE chainrule_trials SET seen = 0 WHERE study = $1 AND state = 'running' AND owner = $2", [
            study,
            other as string,
          ]);
      // The outer condition is looked at again after waiting for another's claim of the same row.
      const [left] = await sql.run(
        `UPDATE chainrule_trials SET owner = $1, seen = $2 WHERE study = $3 AND state = 'running' AND seen < $4 AND number =
          (SELECT MIN(number) FROM chainrule_trials WHERE study = $5 AND state = 'running' AND seen < $6) RETURNING number`,
        [owner, now(), study, now() - stale, study, now() - stale],
      );
      if (left !== undefined) {
        const trial = Number(left["number"]);
        await sql.run("DELETE FROM chainrule_reports WHERE study = $1 AND number = $2", [study, trial]);
        return trial;
      }
      for (;;) {
        const [{ next }] = await sql.run(
          "SELECT COALESCE(MAX(number) + 1, 0) AS next FROM chainrule_trials WHERE study = $1",
          [study],
        );
        const trial = Number(next);
        if (trial >= total) return null;
        const taken = await sql.run(
          `INSERT INTO chainrule_trials (study, number, state, params, owner, seen) VALUES ($1, $2, 'running', $3, $4, $5)
           ON CONFLICT DO NOTHING RETURNING number`,
          [study, trial, JSON.stringify(paramsOf(trial)), owner, now()],
        );
        // Another was quicker: the next number is free.
        if (taken.length > 0) return trial;
      }
    },
    async report(study, trial, step, value) {
      await sql.run(
        `INSERT INTO chainrule_reports (study, number, step, value) VALUES ($1, $2, $3, $4)
         ON CONFLICT (study, number, step) DO UPDATE SET value = excluded.value`,
        [study, trial, step, value],
      );
      await sql.run("UPDATE chainrule_trials SET seen = $1 WHERE study = $2 AND number = $3", [now(), study, trial]);
    },
    async beat(study, trial) {
      await sql.run("UPDATE chainrule_trials SET seen = $1 WHERE study = $2 AND number = $3", [now(), study, trial]);
    },
    async release(study, trial) {
      await sql.run(
        "UPDATE chainrule_trials SET seen = 0 WHERE study = $1 AND number = $2 AND owner = $3 AND state = 'running'",
        [study, trial, owner],
      );
    },
    async finish(study, trial, { state, value, error, seconds }) {
      // Who lost the trial to another after a long silence does not overwrite its result.
      await sql.run(
        `UPDATE chainrule_trials SET state = $1, value = $2, error = $3, seconds = $4
         WHERE study = $5 AND number = $6 AND owner = $7 AND state = 'running'`,
        [state, value, error, seconds, study, trial, owner],
      );
    },
    async trials(study) {
      const rows = await sql.run("SELECT * FROM chainrule_trials WHERE study = $1 ORDER BY number", [study]);
      const reports = await sql.run(
        "SELECT number, step, value FROM chainrule_reports WHERE study = $1 ORDER BY number, step",
        [study],
      );
      const byTrial = new Map<number, [number, number][]>();
      for (const r of reports) {
        const list = byTrial.get(Number(r["number"])) ?? [];
        byTrial.set(Number(r["number"]), list);
        list.push([Number(r["step"]), Number(r["value"])]);
      }
      return rows.map((r): TrialRecord => ({
        number: Number(r["number"]),
        state: r["state"] as TrialState,
        params: JSON.parse(r["params"] as string) as TrialRecord["params"],
        value: r["value"] === null ? null : Number(r["value"]),
        error: r["error"] as string | null,
        reports: byTrial.get(Number(r["number"])) ?? [],
        seconds: r["seconds"] === null ? null : Number(r["seconds"]),
      }));
    },
    close: () => sql.close(),
  };
}
