import assert from "node:assert/strict";
import { browserTest, type Page } from "../../fixtures/chromium.ts";
import { serveSockets } from "./socket_stage.ts";

const CHAT = new URL("../../../examples/chat/service.ts", import.meta.url).pathname;

/** Says something as a person would. */
async function say(page: Page, name: string, text: string): Promise<void> {
  await page.evaluate(`(() => {
    const { name, text } = document.getElementById("form").elements;
    name.value = ${JSON.stringify(name)};
    name.dispatchEvent(new Event("change"));
    text.value = ${JSON.stringify(text)};
    document.querySelector("button").click();
  })()`);
}

browserTest(
  "two pages of a browser chat with each other, and with nobody in another room",
  async (browser) => {
    await using served = await serveSockets({}, {}, [CHAT]);
    const ada = await browser.open(`${served.http}/`);
    const bob = await browser.open(`${served.http}/`);
    const eve = await browser.open(`${served.http}/?room=elsewhere`);
    await Promise.all([
      ada.shows("in room lobby"),
      bob.shows("in room lobby"),
      eve.shows("in room elsewhere"),
    ]);
    await say(ada, "Ada", "Hello <b>Bob</b>");
    await bob.shows("Ada: Hello <b>Bob</b>");
    await say(bob, "Bob", "Hello Ada");
    await ada.shows("Bob: Hello Ada");
    assert.ok(!(await eve.evaluate<string>("document.body.innerText")).includes("Hello"));
  },
);

browserTest("a page connects again when its server comes back", async (browser) => {
  const first = await serveSockets({}, {}, [CHAT]);
  const { port } = new URL(first.http);
  const page = await browser.open(`${first.http}/`);
  await page.shows("in room lobby");
  await first.shutdown();
  await using _second = await serveSockets({ WEB_SERVER_ADDRESS: `127.0.0.1:${port}` }, {}, [CHAT]);
  await say(page, "Ada", "Hello again");
  await page.shows("Ada: Hello again");
});

browserTest("a page of another origin may not connect", async (browser) => {
  await using served = await serveSockets({}, {}, [CHAT]);
  await using other = await serveSockets({}, {}, [CHAT]);
  const page = await browser.open(`${other.http}/`);
  await page.shows("in room lobby");
  const connects = (url: string) =>
    page.evaluate(`new Promise((resolve) => {
      const socket = new WebSocket(${JSON.stringify(url)});
      socket.onopen = () => resolve("opened");
      socket.onclose = ({ code }) => resolve(code);
    })`);
  assert.deepEqual([await connects(other.ws), await connects(served.ws)], ["opened", 1006]);
});
