import type { InstanceStatus, ServiceStatus } from "../../control/status.ts";
import type { Column } from "./table.ts";

/** One service in one process. */
export interface InstanceRow extends Omit<ServiceStatus, "name" | "manifest"> {
  readonly service: string;
  /** Id of the instance. */
  readonly instance: string;
  readonly host: string;
  readonly pid: number;
  /** Version of Enoki. */
  readonly version: string;
  /** Milliseconds since the process has begun to serve. */
  readonly uptime: number;
}

/** Lists the services of all processes, in the order of services and processes. */
export function instanceRows(
  instances: readonly InstanceStatus[],
  service: string | undefined,
): readonly InstanceRow[] {
  const rows = instances.flatMap(({ id: instance, services, ...process }) =>
    services
      .filter(({ name }) => service === undefined || name === service)
      .map(({ name, manifest: _manifest, ...numbers }) => ({
        service: name,
        instance,
        ...process,
        ...numbers,
      }))
  );
  return rows.toSorted((a, b) => a.service < b.service ? -1 : a.service > b.service ? 1 : 0);
}

const PLACE: readonly Column<InstanceRow>[] = [
  { title: "SERVICE", text: ({ service }) => service, elastic: true },
  { title: "INSTANCE", text: ({ instance }) => shortId(instance), optional: 6 },
  { title: "HOST", text: ({ host }) => host, elastic: true },
  { title: "PID", text: ({ pid }) => String(pid), right: true, optional: 4 },
  { title: "ISOLATION", text: isolationText, optional: 2 },
];

/** What is known of services that have processes of their own. */
const MEMORY: Column<InstanceRow> = {
  title: "MEMORY",
  text: ({ ownMemory }) => formatMemory(ownMemory),
  right: true,
  optional: 3,
};

const LOAD: readonly Column<InstanceRow>[] = [
  { title: "ENOKI", text: ({ version }) => version, optional: 1 },
  { title: "UP", text: ({ uptime }) => formatUptime(uptime), right: true },
  { title: "BUSY/READY/MAX", text: ({ threads }) => threadsText(threads), right: true },
  { title: "RUNNING", text: ({ inFlight }) => String(inFlight), right: true },
  { title: "WAITING", text: ({ waiting }) => String(waiting), right: true },
];

/** What is known where calls are counted. */
const RATES: readonly Column<InstanceRow>[] = [
  { title: "CALLS/S", text: ({ rates }) => formatRate(rates?.calls), right: true },
  { title: "ERRORS/S", text: ({ rates }) => formatRate(rates?.errors), right: true },
  { title: "P50", text: ({ rates }) => formatDuration(rates?.p50), right: true, optional: 5 },
  { title: "P99", text: ({ rates }) => formatDuration(rates?.p99), right: true, optional: 7 },
];

const STATE: Column<InstanceRow> = { title: "STATE", text: ({ state }) => state };

/**
 * Chooses the columns of a table: those of the latest calls only if a process counts its calls, memory only if that of a
 * service is known, and the state only if a service does not run as it should.
 */
export function instanceColumns(rows: readonly InstanceRow[]): readonly Column<InstanceRow>[] {
  return [
    ...PLACE,
    ...(rows.some(({ ownMemory }) => ownMemory !== undefined) ? [MEMORY] : []),
    ...LOAD,
    ...(rows.some(({ rates }) => rates !== undefined) ? RATES : []),
    ...(rows.every(({ state }) => state === "running") ? [] : [STATE]),
  ];
}

/** Shortens the id of an instance: its beginning tells it from the others. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** Says where the threads of a service are, such as `process 4711`. */
export function isolationText({ isolation, ownPid }: Pick<InstanceRow, "isolation" | "ownPid">): string {
  return [isolation || UNKNOWN, ownPid ?? ""].join(" ").trimEnd();
}

/** Writes how much memory there is, such as `120MiB`. */
function formatMemory(bytes: number | undefined): string {
  return bytes === undefined ? UNKNOWN : `${Math.round(bytes / 1_048_576)}MiB`;
}

function threadsText({ busy, ready, starting, max }: InstanceRow["threads"]): string {
  return `${busy}/${ready}${starting > 0 ? `+${starting}` : ""}/${max}`;
}

/** Writes how many there are in a second, such as `0.3` or `1250`. */
function formatRate(rate: number | undefined): string {
  return rate === undefined ? UNKNOWN : shortNumber(rate);
}

/** Writes a duration in milliseconds or seconds, such as `4.5ms`. */
export function formatDuration(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return UNKNOWN;
  return milliseconds < SECOND ? `${shortNumber(milliseconds)}ms` : `${shortNumber(milliseconds / SECOND)}s`;
}

function shortNumber(value: number): string {
  return value >= 99.95 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, "");
}

const UNKNOWN = "-";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Writes milliseconds in their two largest units, such as `3h 12m`. */
export function formatUptime(milliseconds: number): string {
  const units = [[DAY, "d"], [HOUR, "h"], [MINUTE, "m"], [SECOND, "s"]] as const;
  const first = units.findIndex(([unit]) => milliseconds >= unit);
  if (first === -1) return "0s";
  let left = milliseconds;
  return units.slice(first, first + 2).map(([unit, letter]) => {
    const count = Math.floor(left / unit);
    left -= count * unit;
    return `${count}${letter}`;
  }).join(" ");
}
