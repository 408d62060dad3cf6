import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { Metrics } from "../../../runtime/telemetry/metrics.ts";

Deno.test("a metric has one series for each combination of labels", () => {
  const requests = new Metrics().counter("requests_total", { help: "Requests.", labels: ["a", "b"] });
  requests.with("x", "y").add();
  requests.with("x", "y").add(2);
  requests.with("y", "x").add();
  deepStrictEqual(
    [...requests.series].map(({ labels, value }) => [labels, value.value]),
    [[["x", "y"], 3], [["y", "x"], 1]],
  );
});

Deno.test("a counter never goes down", () => {
  const counter = new Metrics().counter("a_total", { help: "A." }).with();
  counter.add(2);
  counter.add(-1);
  counter.add(NaN);
  strictEqual(counter.value, 2);
});

Deno.test("a histogram counts each value in the first bucket that holds it", () => {
  const times = new Metrics().histogram("a_seconds", { help: "A.", buckets: [1, 2] }).with();
  for (const value of [0.5, 1, 1.5, 9]) times.record(value);
  deepStrictEqual([times.counts, times.count, times.sum], [[2, 1, 1], 4, 12]);
});

Deno.test("a metric bounds its series, and counts the rest as other", () => {
  const users = new Metrics().counter("users_total", { help: "Users.", labels: ["user"] });
  for (let user = 0; user < 5_000; user++) users.with(String(user)).add();
  const series = [...users.series];
  strictEqual(series.length, 1_001);
  strictEqual(series.find(({ labels }) => labels[0] === "other")!.value.value, 4_000);
});

Deno.test("a name is one metric, of one kind and with the same labels", () => {
  const metrics = new Metrics();
  const first = metrics.counter("a_total", { help: "A.", labels: ["x"] });
  strictEqual(metrics.counter("a_total", { help: "A.", labels: ["x"] }), first);
  throws(() => metrics.gauge("a_total", { help: "A.", labels: ["x"] }), /a counter of that name/);
  throws(() => metrics.counter("a_total", { help: "A." }), /with the labels \[x\]/);
  throws(() => metrics.counter("a total", { help: "A." }), /letters, digits and underscores/);
  throws(() => metrics.counter("b_total", { help: "B.", labels: ["x y"] }), /label "x y" is no name/);
  throws(() => first.with("x", "y"), /it has the labels \[x\], got 2 values/);
});

Deno.test("Metrics.collect() first calls those who set gauges", () => {
  const metrics = new Metrics();
  const size = metrics.gauge("size", { help: "Size." }).with();
  const end = metrics.onCollect(() => size.add());
  metrics.collect();
  strictEqual(size.value, 1);
  end();
  metrics.collect();
  strictEqual(size.value, 1);
});

Deno.test("the series for what is beyond the bound keeps the first labels, if they are few", () => {
  const metrics = new Metrics();
  const users = metrics.counter("users_total", { help: "Users.", labels: ["service", "user"], kept: 1 });
  for (let user = 0; user < 2_000; user++) users.with(user % 2 === 0 ? "a" : "b", String(user)).add();
  const others = [...users.series].filter(({ labels }) => labels[1] === "other");
  deepStrictEqual(others.map(({ labels, value }) => [labels[0], value.value]), [["a", 500], ["b", 500]]);
});

Deno.test("a tap gets each value of each histogram, of later ones too, until it is ended", () => {
  const metrics = new Metrics();
  const first = metrics.histogram("a_seconds", { help: "A.", labels: ["x"] });
  first.with("1").record(1);
  const tapped: string[] = [];
  const end = metrics.tap(({ name }, labels) => (value) => void tapped.push(`${name} ${labels} ${value}`));
  first.with("1").record(2);
  first.with("2").record(3);
  metrics.histogram("b_seconds", { help: "B." }).with().record(4);
  end();
  first.with("1").record(5);
  metrics.histogram("c_seconds", { help: "C." }).with().record(6);
  deepStrictEqual(tapped, ["a_seconds 1 2", "a_seconds 2 3", "b_seconds  4"]);
});

Deno.test("a histogram of a name has one list of buckets", () => {
  const metrics = new Metrics();
  metrics.histogram("a_seconds", { help: "A.", buckets: [1, 2] });
  throws(() => metrics.histogram("a_seconds", { help: "A.", buckets: [1] }), /and the buckets \[1,2\]/);
});

Deno.test("no metric has a name that the lines of a histogram have", () => {
  const metrics = new Metrics();
  metrics.histogram("a", { help: "A." });
  metrics.gauge("b_sum", { help: "B." });
  throws(() => metrics.counter("a_count", { help: "A." }), /the metric "a" has lines of the same name/);
  throws(() => metrics.histogram("b", { help: "B." }), /the metric "b_sum" has lines of the same name/);
  metrics.counter("c_count", { help: "C." });
});
