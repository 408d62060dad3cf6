import assert from "node:assert/strict";
import { type Column, formatRows } from "../../extensions/cli/view/table.ts";
import { formatUptime, isolationText } from "../../extensions/cli/view/instance_table.ts";
import { answerTo, Command, enoki, SERVICES, withBroker, withService } from "./command.ts";

const TWO = `${SERVICES}two_services.ts`;

Deno.test("enoki ps lists services with their processes, threads and calls", () =>
  withService(TWO, async (broker) => {
    const { status, out, err } = await answerTo(broker);
    assert.deepEqual([status, err], [0, ""]);
    const [titles, orders, stock, ...rest] = out.split("\n");
    assert.match(
      titles!,
      /^SERVICE +INSTANCE +HOST +PID +ISOLATION +MEMORY +ENOKI +UP +BUSY\/READY\/MAX +RUNNING +WAITING +CALLS\/S +ERRORS\/S +P50 +P99$/,
    );
    const process = String
      .raw` +[\da-f]{8} +\S+ +${Deno.pid} +process \d+ +\d+MiB +\d+\.\d+\.\d+ +\d+m?s +0/1/10 +0 +0 +0 +0 +- +-$`;
    assert.match(orders!, new RegExp(`^orders${process}`));
    assert.match(stock!, new RegExp(`^stock ${process}`));
    assert.deepEqual(rest, [""]);
    const { out: only } = await enoki(["ps", "--broker", broker, "--json", "stock"]);
    const [row, ...others] = JSON.parse(only);
    assert.deepEqual(others, []);
    assert.deepEqual([row.service, row.pid, row.state, row.threads.max], [
      "stock",
      Deno.pid,
      "running",
      10,
    ]);
  }));

Deno.test("enoki ps says so where nothing answers, and why that may be", () =>
  withBroker(async (broker) => {
    const { status, out, err } = await enoki(["ps", "--broker", broker]);
    assert.deepEqual([status, out], [0, ""]);
    assert.match(
      err,
      /^No process answers at local:.*\. One with control: false, or at another broker .*\n$/,
    );
    assert.deepEqual((await enoki(["ps", "--json", "--broker", broker])).out, "[]\n");
  }));

for (const command of ["ps", "queues", "describe live_service", "dead list"]) {
  Deno.test(`enoki ${command} fails with 3 where there is no broker`, async () => {
    const { status, err } = await enoki([...command.split(" "), "--broker", "amqp://127.0.0.1:1"]);
    assert.equal(status, 3);
    assert.match(err, /^Cannot reach broker amqp:\/\/127\.0\.0\.1:1: connection refused/);
  });
}

Deno.test("enoki top draws the processes, sorts by keys, and ends with q, with the terminal as it was", () =>
  withService(TWO, async (broker) => {
    const top = new Command(["top", "--broker", broker], { screen: { columns: 100, rows: 30 } });
    await top.draws("2 services in 1 process, by service");
    const sorted = top.draws("by waiting calls");
    top.type("w");
    await sorted;
    const slowest = top.draws("by p99");
    top.type("p");
    await slowest;
    top.type("xq");
    const { status, out, err } = await top.ended;
    assert.deepEqual([status, err], [0, ""]);
    assert.ok(out.startsWith("\x1b[?1049h\x1b[?25l"));
    assert.ok(out.endsWith("\x1b[?25h\x1b[?1049l"));
    assert.deepEqual([top.isReading, top.listeners], [false, 0]);
  }));

Deno.test("enoki top ends with a signal, and draws no more lines and columns than there are", () =>
  withService(TWO, async (broker) => {
    const top = new Command(["top", "--broker", broker], { screen: { columns: 30, rows: 6 } });
    await top.draws("orders");
    top.signal("SIGINT");
    const { status, out } = await top.ended;
    assert.equal(status, 0);
    assert.ok(out.endsWith("\x1b[?25h\x1b[?1049l"));
    // deno-lint-ignore no-control-regex -- these are the sequences that draw
    for (const drawn of out.split("\x1b[H").slice(1).map((text) => text.replaceAll(/\x1b\[[?\d]*\w/g, ""))) {
      const lines = drawn.trimEnd().split("\n");
      assert.ok(lines.length <= 5 && lines.every((line) => line.length <= 30), drawn);
    }
  }));

Deno.test("enoki top needs a terminal, and names ps", async () => {
  const { status, out, err } = await enoki(["top"]);
  assert.deepEqual([status, out], [2, ""]);
  assert.match(err, /^Cannot show top: this is not a terminal\. Use ps/);
});

interface Row {
  readonly name: string;
  readonly count: number;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: "NAME", text: ({ name }) => name, elastic: true },
  { title: "EXTRA", text: () => "extra", optional: 1 },
  { title: "COUNT", text: ({ count }) => String(count), right: true },
];

const ROWS: readonly Row[] = [{ name: "a_long_name_indeed", count: 7 }, { name: "b", count: 12345678 }];

Deno.test("formatRows() aligns texts at their beginning and numbers at their end", () => {
  assert.equal(
    formatRows(ROWS, COLUMNS),
    "NAME                EXTRA     COUNT\na_long_name_indeed  extra         7\nb                   extra  12345678\n",
  );
});

Deno.test("formatRows() cuts what is elastic, then leaves out what is optional, then cuts lines", () => {
  assert.equal(
    formatRows(ROWS, COLUMNS, { width: 25 }),
    "NAME      EXTRA     COUNT\na_long_…  extra         7\nb         extra  12345678\n",
  );
  assert.equal(
    formatRows(ROWS, COLUMNS, { width: 20 }),
    "NAME           COUNT\na_long_na…         7\nb           12345678\n",
  );
  assert.equal(formatRows(ROWS, COLUMNS, { width: 12 }), "NAME       …\na_long_…   …\nb         1…\n");
});

Deno.test("formatRows() escapes control characters before it aligns", () => {
  assert.equal(formatRows([{ name: "\x1b[2J", count: 1 }], COLUMNS.slice(0, 1)), "NAME\n\\u001b[2J\n");
});

Deno.test("isolationText() writes the id of a process of a service's own, and a dash for what nobody tells", () => {
  assert.equal(isolationText({ isolation: "process", ownPid: 4711 }), "process 4711");
  assert.equal(isolationText({ isolation: "process" }), "process");
  assert.equal(isolationText({ isolation: "inline" }), "inline");
  assert.equal(isolationText({ isolation: "" }), "-");
});

Deno.test("formatUptime() writes the two largest units", () => {
  const texts = [0, 999, 59_000, 61_000, 3 * 3_600_000 + 12 * 60_000, 26 * 3_600_000].map(formatUptime);
  assert.deepEqual(texts, ["0s", "0s", "59s", "1m 1s", "3h 12m", "1d 2h"]);
});
