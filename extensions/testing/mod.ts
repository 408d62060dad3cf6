/**
 * Helps to test handlers without a container and without a broker.
 *
 * @module
 */
export { testContext, type TestContextOptions } from "./test_context.ts";
export { fakeClient, type FakeMethods } from "./fake_client.ts";
export { type DispatchedEvent, type FakeDispatcher, fakeDispatcher } from "./fake_dispatcher.ts";
export { type Broadcast, type FakeHub, fakeHub, type FakeHubOptions, type Unicast } from "./fake_hub.ts";
export { type FakePublisher, fakePublisher, type PublishedMessage } from "./fake_publisher.ts";
export { testServices, type TestServicesOptions } from "./test_services.ts";
export type { FakeOf, IdleOptions, TestApp, WaitForOptions } from "./test_app.ts";
export type { TestCall } from "./call_journal.ts";
export type { TestCallOutcome } from "./call_content.ts";
export { type RabbitmqVhost, rabbitmqVhost, type RabbitmqVhostOptions } from "./rabbitmq_vhost.ts";
export { type TestClock, testClock, type TestClockOptions } from "./test_clock.ts";
