import { Metrics } from "../../../runtime/telemetry/metrics.ts";
import { type EntrypointHost, hostedEntrypoints, invocationOf } from "../../../runtime/hosting/host.ts";
import { createConsumeHost, setUpPublisher, setUpQueueName } from "../../../extensions/messaging/host.ts";
import { QueueNames } from "../../../extensions/messaging/queue_names.ts";
import type { RequireMessage } from "../../../extensions/messaging/reply.ts";
import { ReplyDesk } from "../../../extensions/messaging/reply_desk.ts";
import { setUpRequester } from "../../../extensions/messaging/requester_host.ts";
import type { DependencyHalf } from "../../../runtime/hosting/host.ts";
import type { Messenger } from "../../../runtime/message/messenger.ts";
import { hostAddress } from "../../../runtime/service/dependency.ts";
import { Invoker } from "../../../runtime/thread/invoker.ts";
import { createLog, type LogRecord } from "../../../runtime/log/log.ts";
import { describe } from "../../../runtime/service/manifest.ts";
import { deadLetterQueueOf } from "../../../runtime/hosting/message_fate.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import type { Service } from "../../../runtime/service/service.ts";
import type { Message, Topology, Transport } from "../../../runtime/message/transport.ts";
import type { Inbox } from "../../../runtime/message/conformance/inbox.ts";
import { Stage } from "../../../runtime/message/conformance/stage.ts";
import { BROKERS, isMissing } from "../../fixtures/brokers.ts";
import { SYSTEM_CLOCK } from "../../../runtime/waiting/clock.ts";

/** A service that is being served by a test; `log` is all that was logged. */
export interface Instance extends AsyncDisposable {
  readonly log: readonly LogRecord[];
}

/** Options of {@linkcode MessagingStage.serve}. */
export interface ServeOptions {
  /** @default {one to the broker of the stage} */
  readonly transport?: Transport;
  /** Refuses what the service may not send. */
  readonly requireMessage?: RequireMessage;
  /** Replaces what runs the handlers. */
  readonly run?: EntrypointHost["run"];
}

/** Where consumers and publishers run on a broker, in this thread. What they declared is removed at the end. */
export class MessagingStage extends Stage {
  readonly #declared: Topology[] = [];
  readonly #ends: AsyncDisposable[] = [];
  #own: Transport | undefined;

  /** The transport of the test itself. */
  async own(): Promise<Transport> {
    return this.#own ??= this.#noting(await this.transport());
  }

  /** Serves one more instance of a service, on a connection of its own. */
  async serve(
    served: Service,
    config: PlainRecord = {},
    { requireMessage, run, ...options }: ServeOptions = {},
  ): Promise<Instance> {
    const transport = this.#noting(options.transport ?? await this.transport());
    const records: LogRecord[] = [];
    const emit = (record: LogRecord) => void records.push(record);
    const aborting = new AbortController();
    const shared = { service: served.name, config, log: createLog({ emit }), signal: aborting.signal };
    const halves = new Map<string, DependencyHalf>();
    const messenger: Messenger = {
      async request({ service, body }, { signal }) {
        const half = halves.get(service);
        if (half?.answer === undefined) throw new Error("Nobody answers here");
        return await half.answer(body as string, signal === undefined ? {} : { signal });
      },
      publish: transport.publish.bind(transport),
    };
    const invoker = await Invoker.create(served, { ...shared, callTimeout: 30_000, messenger }, {
      service: served.name,
      parentCallsTracked: 10,
      logFor: (fields) => createLog({ emit, ...(fields && { fields }) }),
    });
    const host: EntrypointHost = {
      ...shared,
      transport,
      demand: 10,
      onDemand: () => {},
      metrics: new Metrics(),
      clock: SYSTEM_CLOCK,
      shed: () => {},
      least: () => 0,
      watch: () => {},
      run: run ?? ((entry, payload) => {
        const message = structuredClone({ ...invocationOf(entry, payload), slot: 0 });
        return invoker.invoke(message, invoker.scope(message));
      }),
    };
    const manifest = describe(served);
    const names = new QueueNames();
    const desk = new ReplyDesk(transport);
    for (const dependency of manifest.dependencies) {
      const address = hostAddress(served.name, dependency.key);
      if (dependency.kind === "publisher") await setUpPublisher(dependency, host);
      else if (dependency.kind === "queueName") {
        halves.set(address, await setUpQueueName(dependency, host, names));
      } else if (dependency.kind === "requester") {
        halves.set(address, await setUpRequester(dependency, host, desk, requireMessage));
      }
    }
    const entrypoint = createConsumeHost(
      hostedEntrypoints(manifest).filter(({ kind }) => kind === "consume"),
      host,
      { names, requireReply: requireMessage },
    );
    await entrypoint.setup?.();
    await entrypoint.start();
    let ended: Promise<void> | undefined;
    const end = async () => {
      await entrypoint.stop();
      await entrypoint[Symbol.asyncDispose]();
      desk[Symbol.dispose]();
      await transport.close();
    };
    const instance = { log: records, [Symbol.asyncDispose]: () => ended ??= end() };
    this.#ends.push(instance);
    return instance;
  }

  /** Publishes as a program outside any service does, and finds out if no queue takes it. */
  async publish(message: Omit<Message, "mandatory">): Promise<void> {
    await (await this.own()).publish({ ...message, mandatory: true });
  }

  /** Consumes a queue into an inbox. */
  async open(queue: string): Promise<Inbox> {
    return await this.inbox(await this.own(), queue);
  }

  /** What was buried of a queue. */
  async dead(queue: string): Promise<Inbox> {
    const transport = await this.own();
    await transport.declare({ queues: [{ name: deadLetterQueueOf(queue) }] });
    return await this.inbox(transport, deadLetterQueueOf(queue));
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends) await end[Symbol.asyncDispose]();
    // An open transport would declare again what is taken from its consumers.
    await this.#own?.close();
    const sweeper = await this.transport();
    for (const { name } of this.#declared.flatMap(({ queues = [] }) => queues)) {
      await sweeper.deleteQueue(name);
    }
    await super[Symbol.asyncDispose]();
  }

  #noting(transport: Transport): Transport {
    const declare = transport.declare.bind(transport);
    transport.declare = async (topology) => {
      await declare(topology);
      this.#declared.push(topology);
    };
    return transport;
  }
}

/** Registers a test for each kind of broker; that for RabbitMQ is ignored where there is none. */
export function messagingTest(text: string, proof: (stage: MessagingStage) => Promise<void>): void {
  for (const kind of Object.keys(BROKERS)) register(kind, text, proof);
}

/** Registers a test for one kind of broker, such as one that cuts connections to RabbitMQ. */
messagingTest.on = (kind: string, text: string, proof: (stage: MessagingStage) => Promise<void>): void =>
  register(kind, text, proof);

function register(kind: string, text: string, proof: (stage: MessagingStage) => Promise<void>): void {
  Deno.test({
    name: `${kind}: ${text}`,
    ignore: isMissing(kind),
    fn: async () => {
      await using broker = await BROKERS[kind]!();
      await using stage = new MessagingStage(broker);
      // A local broker lives as long as the first that came to it.
      await stage.own();
      await proof(stage);
    },
  });
}
