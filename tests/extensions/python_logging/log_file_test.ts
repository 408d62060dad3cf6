import { deepStrictEqual, equal } from "node:assert/strict";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  writeSync,
} from "node:fs";
import {
  LogFile,
  type Rotation,
  SizeRotation,
  TimeRotation,
} from "../../../extensions/python_logging/log_file.ts";

const LOG_FILE = import.meta.resolve("../../../extensions/python_logging/log_file.ts");

async function inFolder(test: (folder: string) => void): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "enoki-log-" });
  try {
    test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The files of a folder with their texts. */
function contents(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    readdirSync(folder).sort().map((name) => [name, readFileSync(`${folder}/${name}`, "utf8")]),
  );
}

Deno.test("a log file goes on at its end, or begins anew", () =>
  inFolder((folder) => {
    for (const [line, isNew] of [["a", false], ["b", false], ["c", true]] as const) {
      using file = new LogFile(`${folder}/x.log`, { isNew });
      file.write(line);
    }
    deepStrictEqual(contents(folder), { "x.log": "c\n" });
  }));

Deno.test("a full file is put aside, and only so many former files are kept", () =>
  inFolder((folder) => {
    using file = new LogFile(`${folder}/x.log`, { rotation: new SizeRotation(8, 2) });
    for (const line of ["1111", "2222", "33333333333", "4", "5"]) file.write(line);
    deepStrictEqual(contents(folder), { "x.log": "4\n5\n", "x.log.1": "33333333333\n", "x.log.2": "2222\n" });
  }));

Deno.test("a file is put aside when its time is over, under the time in which it was written", () =>
  inFolder((folder) => {
    let now = Date.now();
    const day = 86_400_000;
    const rotation = new TimeRotation({
      when: { weekday: undefined, suffix: "%Y-%m-%d" },
      kept: 2,
      isUtc: true,
      now: () => now,
    });
    using file = new LogFile(`${folder}/x.log`, { rotation });
    const dates: string[] = [];
    for (const line of ["a", "b", "c", "d"]) {
      file.write(line);
      file.write(line);
      dates.push(new Date(now).toISOString().slice(0, 10));
      now += day;
    }
    deepStrictEqual(contents(folder), {
      "x.log": "d\nd\n",
      [`x.log.${dates[1]}`]: "b\nb\n",
      [`x.log.${dates[2]}`]: "c\nc\n",
    });
  }));

for (
  const [when, start] of [
    [{ every: 3_600, suffix: "%H-%M" }, "14-20"],
    [{ weekday: undefined, suffix: "%m-%d" }, "03-25"],
    [{ weekday: 4, suffix: "%m-%d" }, "03-21"],
  ] as const
) {
  Deno.test(`a file that is put aside has the name of the start of its period, such as ${start}`, () =>
    inFolder((folder) => {
      let now = Date.parse("2026-03-25T14:20Z");
      const rotation = new TimeRotation({ when, kept: 0, isUtc: true, now: () => now });
      // Its time counts from now on, because there is no file yet.
      rotation.isDue(`${folder}/x.log`);
      using file = new LogFile(`${folder}/x.log`, { rotation });
      file.write("a");
      now += 7 * 86_400_000;
      file.write("b");
      deepStrictEqual(contents(folder), { "x.log": "b\n", [`x.log.${start}`]: "a\n" });
    }));
}

Deno.test("a week of UTC ends at midnight of UTC, even if the clocks of the machine's zone change in it", async () => {
  const script = `
    import { TimeRotation } from ${JSON.stringify(LOG_FILE)};
    let now = Date.parse("2026-03-27T12:00Z");
    const when = { weekday: 6, suffix: "%Y-%m-%d" };
    const rotation = new TimeRotation({ when, kept: 0, isUtc: true, now: () => now });
    const isDue = (time) => (now = Date.parse(time), rotation.isDue("/nowhere"));
    console.log(["2026-03-27T12:00Z", "2026-03-29T23:59Z", "2026-03-30T00:00Z"].map(isDue).join());`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", script],
    env: { TZ: "Europe/Berlin" },
    stderr: "inherit",
  }).output();
  equal(new TextDecoder().decode(stdout), "false,false,true\n");
});

Deno.test("a watched file that somebody has moved away is opened again", () =>
  inFolder((folder) => {
    using file = new LogFile(`${folder}/x.log`, { isWatched: true });
    file.write("a");
    renameSync(`${folder}/x.log`, `${folder}/moved`);
    file.write("b");
    deepStrictEqual(contents(folder), { moved: "a\n", "x.log": "b\n" });
  }));

Deno.test("a log file whose folder is gone leaves other files alone, and goes on once the folder is back", () =>
  inFolder((folder) => {
    mkdirSync(`${folder}/logs`);
    using file = new LogFile(`${folder}/logs/x.log`, { isWatched: true });
    file.write("a");
    renameSync(`${folder}/logs`, `${folder}/away`);
    file.write("dropped");
    const other = openSync(`${folder}/other`, "w");
    file.write("dropped, too");
    writeSync(other, "its own");
    closeSync(other);
    renameSync(`${folder}/away`, `${folder}/logs`);
    file.write("b");
    equal(readFileSync(`${folder}/other`, "utf8"), "its own");
    equal(readFileSync(`${folder}/logs/x.log`, "utf8"), "a\nb\n");
  }));

Deno.test("a file that was put aside takes no more lines although its successor could not be opened", () =>
  inFolder((folder) => {
    const path = `${folder}/x.log`;
    const rotation: Rotation = {
      isDue: (_path, size) => size > 0,
      rotate() {
        renameSync(path, `${folder}/former`);
        mkdirSync(path);
      },
    };
    using file = new LogFile(path, { rotation });
    file.write("a");
    file.write("dropped");
    rmdirSync(path);
    file.write("b");
    deepStrictEqual(contents(folder), { former: "a\n", "x.log": "b\n" });
  }));

Deno.test("a line that comes after the end of a log is dropped without a failure", () =>
  inFolder((folder) => {
    const file = new LogFile(`${folder}/x.log`);
    file[Symbol.dispose]();
    file.write("late");
    equal(contents(folder)["x.log"], "");
  }));
