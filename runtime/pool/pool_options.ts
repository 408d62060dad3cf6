import type { Log, LogLevel, LogRecord } from "../log/log.ts";
import type { ManifestEntrypoint } from "../service/manifest.ts";
import type { Messenger } from "../message/messenger.ts";
import type { PlainRecord } from "../message/plain.ts";
import type { PoolLimits } from "./pool_limits.ts";
import type { ThreadSpawner } from "../spawning/spawner.ts";

/** What a pool is made of. */
export interface PoolOptions extends Partial<PoolLimits> {
  /** Name of the service; threads are named after it. */
  readonly service: string;
  readonly spawner: ThreadSpawner;
  /** What the module must export: a thread that has loaded something else is not used. @default {anything} */
  readonly entrypoints?: readonly ManifestEntrypoint[];
  /** What the service's own calls and events are sent with. */
  readonly messenger: Messenger;
  /** @default {{}} */
  readonly config?: PlainRecord;
  /** Takes what the service logs. */
  readonly onLog: (record: LogRecord) => void;
  /** @default {"info"} */
  readonly logLevel?: LogLevel;
  /** Takes what the pool itself has to say. */
  readonly log: Log;
  /** Called when `Pool.demand` changes. */
  readonly onDemand?: (demand: number) => void;
}
